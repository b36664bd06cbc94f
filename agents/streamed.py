"""Tools at work, told to those who watch the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph.config import get_stream_writer

from agents.conversation import Call
from agents.hands import Done, Hands, Outcome, Waiting
from agents.tools.tool import Caller
from core.canonical import JSON
from core.types import Interrupted, Principal, ToolCalled, ToolResult


class StreamedHands:
    """Hands whose every use is streamed, for those who watch the run."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def tools(self, principal: Principal) -> frozenset[str]:
        """See `Hands.tools`."""
        return self._hands.tools(principal)

    async def read(self, caller: Caller, tool: str, arguments: Mapping[str, Any]) -> JSON:
        """See `Hands.read`."""
        write = get_stream_writer()
        write(ToolCalled(tool, dict(arguments)))
        result = await self._hands.read(caller, tool, arguments)
        write(ToolResult(tool, result))
        return result

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        """See `Hands.perform`."""
        write = get_stream_writer()
        write(ToolCalled(call["tool"], call["arguments"]))
        outcome = await self._hands.perform(caller, thread, call)
        if isinstance(outcome, Waiting):
            write(Interrupted(outcome.approval, call["tool"], call["arguments"], outcome.reason))
        elif isinstance(outcome, Done):
            write(ToolResult(call["tool"], outcome.result))
        return outcome
