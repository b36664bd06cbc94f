"""How large a request's body may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import LimitSettings, MediaSettings

UPLOADS = "/api/documents"
# Where pictures and voice notes may come, as base64 within a message or as uploads.
MEDIA = re.compile(
    r"/v1/(chat/completions|responses|audio/(transcriptions|translations))"
    r"|/api/(pictures/read|field-reports)"
    r"|(/threads/[^/]+)?/runs(/(stream|wait|batch))?"
)
MULTIPART_BYTES = 16 * 1024  # what boundaries and part headers may add to an uploaded file
STALL_SECONDS = 30.0


class Bodies:
    """Refuses a body that says it is too large before reading it, and one that turns out so while it arrives.

    A body that stops arriving for `stall` seconds is given up with a 408. Layers inside see an `HTTPException`,
    which is what FastAPI lets through while it parses; they must not have done anything before the body is whole.
    """

    def __init__(self, app: ASGIApp, limits: LimitSettings, media: MediaSettings, stall: float = STALL_SECONDS) -> None:
        self.app = app
        self._body_bytes = limits.body_bytes
        self._upload_bytes = limits.upload_bytes
        self._media_bytes = media.request_bytes
        self._stall = stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a guarded `receive`."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told, limit = self._limits(scope["path"].rstrip("/"))
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        too_large = HTTPException(413, f"The body is larger than {told} bytes")
        size = 0
        arriving = True

        async def guarded() -> Message:
            nonlocal size, arriving
            if not arriving:
                return await receive()
            if announced.isdigit() and int(announced) > limit:
                raise too_large
            try:
                async with asyncio.timeout(self._stall):
                    message = await receive()
            except TimeoutError as stalled:
                raise HTTPException(408, f"No byte of the body came for {self._stall:g} seconds") from stalled
            arriving = message["type"] == "http.request" and message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > limit:
                raise too_large
            return message

        await self.app(scope, guarded, send)

    def _limits(self, path: str) -> tuple[int, int]:
        """The limit that is told of, and the one that is held."""
        if path == UPLOADS:
            return self._upload_bytes, self._upload_bytes + MULTIPART_BYTES
        limit = max(self._media_bytes, self._body_bytes) if MEDIA.fullmatch(path) else self._body_bytes
        return limit, limit
