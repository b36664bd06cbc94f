"""Answers that wait for a run: its events as they come, or its outcome when it ends.

Both begin at once and say something now and then, so that no proxy gives the connection up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.sse import HEARTBEAT_SECONDS, gone

EVENTS = "text/event-stream"
JSON = "application/json"
# What changes nothing for the reader: an SSE comment, and white space before the JSON.
_HEARTBEATS = {EVENTS: b": waiting\n\n", JSON: b"\n"}


class Following(Response):
    """Sends `chunks` until they end. `when_gone` is called when the client goes away before that.

    An error breaks the connection off: the reader knows that it has not seen the end, and comes back.
    """

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        media_type: str,
        headers: Mapping[str, str],
        when_gone: Callable[[], Awaitable[None]] | None = None,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.media_type = media_type
        self.init_headers({**headers, "cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks
        self._when_gone = when_gone
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop when the client is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pump = asyncio.create_task(self._pump(send))
        leaving = asyncio.create_task(gone(receive))
        others = {asyncio.create_task(self._beat(send)), leaving}
        try:
            await asyncio.wait({pump, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left = leaving.done() and not pump.done()
            for task in (pump, *others):
                task.cancel()
            await asyncio.wait({pump, *others})
        if left and self._when_gone is not None:
            await self._when_gone()
        if pump.cancelled():
            return
        await pump
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, send: Send) -> None:
        async with aclosing(cast("Any", self._chunks)):
            async for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _beat(self, send: Send) -> None:
        assert self.media_type is not None, "it was given"  # noqa: S101
        while True:
            await asyncio.sleep(self._heartbeat)
            await send({"type": "http.response.body", "body": _HEARTBEATS[self.media_type], "more_body": True})
