"""The stream modes `messages` and `messages-tuple`, from a model's chunks or from text that was checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, BaseMessageChunk

Named = tuple[str, Any]


class MessageEvents:
    """Turns chunks with their metadata into the protocol's events.

    `messages-tuple` passes each on as `[message, metadata]`. `messages` tells a message's metadata once, then the
    message as it grows, or, for one that comes whole, as it is.
    """

    def __init__(self, modes: Sequence[str], suffix: str = "") -> None:
        self._modes = modes
        self._suffix = suffix
        self._grown: dict[str, BaseMessage] = {}

    def of(self, message: BaseMessage, metadata: Mapping[str, Any]) -> Iterator[Named]:
        """The events of one chunk or message."""
        if "messages-tuple" in self._modes:
            yield f"messages{self._suffix}", [message, metadata]
        if "messages" not in self._modes:
            return
        key = str(message.id)
        if key not in self._grown:
            yield f"messages/metadata{self._suffix}", {key: {"metadata": metadata}}
        if isinstance(message, BaseMessageChunk):
            before = self._grown.get(key)
            grown = message if before is None else before + message
            self._grown[key] = grown  # type: ignore[assignment]
            yield f"messages/partial{self._suffix}", [grown]
        else:
            self._grown[key] = message
            yield f"messages/complete{self._suffix}", [message]


def checked(text: str, run_id: str, node: str) -> tuple[AIMessageChunk, dict[str, Any]]:
    """A stretch of checked text as a chunk of the run's one answer."""
    return AIMessageChunk(content=text, id=f"run-{run_id}"), {"langgraph_node": node, "run_id": run_id}
