"""Server-sent events as the OpenAI clients read them: bare `data:` lines, then `[DONE]`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import body_of
from core.errors import WaysideError

HEARTBEAT_SECONDS = 15.0
_DONE = b"data: [DONE]\n\n"
# A comment, and nothing else: the OpenAI client's decoder breaks on a comment that follows an `id:` line.
_HEARTBEAT = b": waiting\n\n"


class EventStream(Response):
    """Sends each object of `events` as one event.

    * While nothing comes, a comment is sent every `heartbeat` seconds, so that proxies keep the line open.
    * When the client goes away, `events` is closed at once, which stops what produces it.
    * An error is sent as an event in the error contract, and no `[DONE]` follows. One that is not ours is raised
      afterwards, for the log.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[Mapping[str, Any]],
        headers: Mapping[str, str],
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({**headers, "cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop when the client is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pump = asyncio.create_task(self._pump(send))
        others = {asyncio.create_task(self._beat(send)), asyncio.create_task(gone(receive))}
        try:
            await asyncio.wait({pump, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pump, *others):
                task.cancel()
            await asyncio.wait({pump, *others})
        if pump.cancelled():
            return
        error = pump.exception()
        await _write(send, _DONE if error is None else _event(body_of(error)))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if error is not None and not isinstance(error, WaysideError):
            raise error

    async def _pump(self, send: Send) -> None:
        # Whoever hands an iterator over hands over its end too, if it has one.
        async with aclosing(cast("Any", self._events)):
            async for event in self._events:
                await _write(send, _event(event))

    async def _beat(self, send: Send) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            await _write(send, _HEARTBEAT)


async def gone(receive: Receive) -> None:
    """Return when the client has closed the connection. The body must have been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(content: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})
