"""Every other model: the request goes straight through to the engine that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

from starlette.types import Receive

from app.api.chat_request import ChatRequest
from app.engines.protocol import CompletionStream, Json
from app.sse import gone
from core.types import Usage

_PATIENCE = 0.25
T = TypeVar("T")


def engine_request(request: ChatRequest) -> Json:
    """The body for the engine: what the client set, of the parameters we know, and nothing else.

    A stream is always asked for its usage, which is how it is metered.
    """
    body = request.model_dump(exclude_none=True, by_alias=True, exclude={"stream", "stream_options"})
    for message in body["messages"]:
        # These are parts of an answer that clients send back with the history; no engine reads them.
        message.pop("annotations", None)
        message.pop("refusal", None)
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """The usage that an engine reports, if it does."""
    usage = body.get("usage")
    if not usage:
        return None
    return Usage(usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))


class Passthrough:
    """A stream on its way through: passes the chunks on and keeps the count.

    `usage` is what the engine reported, or, when the stream was cut short, the number of chunks with text (of which
    each is about a token).
    """

    def __init__(self, stream: CompletionStream, *, include_usage: bool) -> None:
        self._stream = stream
        self._include_usage = include_usage
        self.usage = Usage()
        self._reported = False

    async def chunks(self) -> AsyncIterator[Json]:
        """The engine's chunks, without the usage unless the client asked for it. Closing this stops the engine."""
        async with aclosing(cast("Any", self._stream.chunks)):
            async for chunk in self._stream.chunks:
                self._count(chunk)
                if chunk.get("choices") or self._include_usage:
                    yield chunk

    def _count(self, chunk: Json) -> None:
        reported = usage_of(chunk)
        if reported is not None:
            self.usage, self._reported = reported, True
        elif not self._reported and chunk.get("choices"):
            self.usage += Usage(completion_tokens=1)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None when the client went away first, in which case `work` was cancelled.

    Most answers are quick, so that the connection is watched only after `_PATIENCE` seconds.
    """
    task = asyncio.create_task(work)
    watch: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done():
            watch = asyncio.create_task(gone(receive))
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        left = {each for each in (task, watch) if each is not None and not each.done()}
        for each in left:
            each.cancel()
        if left:
            await asyncio.wait(left)
