"""The tools that a principal may use, as LangChain's, bound to it and to one thread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.types import interrupt

from agents.acting import Acting, Call, Declined, Done, Outcome, Waiting
from agents.policy import Policy
from agents.tools.tool import Action, Caller, Reading
from core.canonical import JSON
from core.errors import InvalidInput

_STEP = "wayside_step"
_INDEX = "wayside_call"


def placed(config: RunnableConfig, step: int, index: int) -> RunnableConfig:
    """The config to invoke a tool with: the `index`-th call of this step of the thread. A replay says the same."""
    return {**config, "configurable": {**config.get("configurable", {}), _STEP: step, _INDEX: index}}


class Toolbox:
    """All tools, and who may use which."""

    def __init__(self, tools: Iterable[Reading[Any] | Action[Any]], policy: Policy, acting: Acting) -> None:
        self._tools = tuple(tools)
        self._policy = policy
        self._acting = acting

    def tools(self, caller: Caller, thread: str) -> list[BaseTool]:
        """The tools that the caller may use on this thread; `metadata["acts"]` says which change the world.

        Those that do are invoked with a config from `placed`, inside of a graph with a checkpointer: one that needs
        consent interrupts the run, and does so again until somebody has decided. A resume's value counts for nothing.
        """
        return [
            self._acting_tool(tool, caller, thread) if isinstance(tool, Action) else self._reading_tool(tool, caller)
            for tool in self._usable(caller)
        ]

    def names(self, caller: Caller) -> frozenset[str]:
        """The names of the tools that the caller may use."""
        return frozenset(tool.name for tool in self._usable(caller))

    async def read(self, caller: Caller, name: str, arguments: dict[str, Any]) -> JSON:
        """Call a tool that changes nothing. Raises `InvalidInput`, `Forbidden`, `NotFound`."""
        for tool in self._tools:
            if tool.name == name and isinstance(tool, Reading):
                self._policy.require(caller.principal, name)
                tool.check(caller)
                return await tool.read(caller, tool.parse(arguments))
        raise InvalidInput(f"no tool {name} that only reads", param="tool")

    def _usable(self, caller: Caller) -> Iterator[Reading[Any] | Action[Any]]:
        for tool in self._tools:
            if self._policy.permits(caller.principal, tool.name) and not (tool.personal and caller.visitor):
                yield tool

    def _reading_tool(self, tool: Reading[Any], caller: Caller) -> BaseTool:
        async def read(**arguments: Any) -> str:
            return _text(await self.read(caller, tool.name, arguments))

        return _structured(tool, caller, read)

    def _acting_tool(self, tool: Action[Any], caller: Caller, thread: str) -> BaseTool:
        async def act(config: RunnableConfig, **arguments: Any) -> str:
            place = config.get("configurable", {})
            if _STEP not in place or _INDEX not in place:
                raise InvalidInput(f"say which call of the thread this {tool.name} is: use placed()")
            call = Call(thread, place[_STEP], place[_INDEX], tool.name, arguments)
            outcome = await self._acting.perform(caller, call)
            while isinstance(outcome, Waiting):
                interrupt(_asked(outcome))
                outcome = await self._acting.perform(caller, call)
            return _told(outcome)

        return _structured(tool, caller, act)


def _structured(tool: Reading[Any] | Action[Any], caller: Caller, coroutine: Any) -> BaseTool:
    schema = tool.arguments.model_json_schema()
    customer = caller.subject.customer_id
    if customer is not None and "customer_id" in schema["properties"]:
        # A model need not know, and cannot choose, whom it talks to.
        schema["properties"]["customer_id"]["enum"] = [customer]
    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=schema,
        coroutine=coroutine,
        metadata={"acts": isinstance(tool, Action)},
    )


def _asked(waiting: Waiting) -> dict[str, JSON]:
    approval = waiting.approval
    return {
        "approval": approval.id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "reason": approval.reason,
        "by": approval.by.value,
        "expires": approval.expires.isoformat(),
    }


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Done):
        return _text(outcome.result)
    assert isinstance(outcome, Declined), "what waits has been waited for"  # noqa: S101
    return _text({"declined": outcome.approval.status.value, "answer": outcome.approval.answer()})


def _text(result: JSON) -> str:
    return json.dumps(result, ensure_ascii=False)
