"""Streams of `chat.completion.chunk` objects: closing them for certain, and adding them up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from app.engines.protocol import Completion, CompletionStream, Json


class Chunks(AsyncIterator[Json]):
    """A stream whose first chunk was taken already, and which frees what is behind it when it ends or is closed.

    An asynchronous generator is not enough: closing one that was never begun runs none of its code.
    """

    def __init__(self, first: Json, rest: AsyncIterator[Json], close: Callable[[], Awaitable[None]]) -> None:
        self._first: Json | None = first
        self._rest = rest
        self._close = close
        self._closed = False

    async def __anext__(self) -> Json:
        """The next chunk. A failure closes the stream."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._closed:
            raise StopAsyncIteration
        try:
            return await anext(self._rest)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Stop the generation. Closing twice is fine."""
        if not self._closed:
            self._closed, self._first = True, None
            await self._close()


async def begin(rest: AsyncIterator[Json], close: Callable[[], Awaitable[None]]) -> Chunks:
    """Wait for the first chunk, so that an engine which cannot answer fails here. Closes when it does."""
    try:
        first = await anext(rest)
    except BaseException:
        await close()
        raise
    return Chunks(first, rest, close)


async def whole(stream: CompletionStream) -> Completion:
    """Hear a stream out, and close it whatever happens."""
    chunks: Any = stream.chunks
    try:
        return Completion(stream.engine, await add_up(chunks))
    finally:
        await chunks.aclose()


async def add_up(chunks: AsyncIterator[Json]) -> Json:
    """The `chat.completion` object that a whole stream of one choice amounts to."""
    body: Json = {"object": "chat.completion"}
    message: Json = {"role": "assistant", "content": None}
    choice: Json = {"index": 0, "message": message, "finish_reason": None}
    async for chunk in chunks:
        for field in ("id", "created", "model"):
            body[field] = chunk[field]
        if chunk.get("usage"):
            body["usage"] = chunk["usage"]
        for part in chunk["choices"]:
            _add_delta(message, part["delta"])
            if part.get("logprobs"):
                choice.setdefault("logprobs", {"content": []})["content"] += part["logprobs"]["content"]
            choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    return body | {"choices": [choice]}


def _add_delta(message: Json, delta: dict[str, Any]) -> None:
    if delta.get("content") is not None:
        message["content"] = (message["content"] or "") + delta["content"]
    for call in delta.get("tool_calls") or ():
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append({"id": call["id"], "type": "function", "function": {"name": "", "arguments": ""}})
        for field, text in call["function"].items():
            calls[call["index"]]["function"][field] += text
