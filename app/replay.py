"""The layer that gives a POST with an `Idempotency-Key` its first answer again."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.idempotency import Claim, Idempotency, Stored
from core.errors import InvalidInput, KeyReused

_SANE_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
# Requests for runs: admission itself knows their keys, so that a stream that was cut off finds its run again.
_RUNS = re.compile(r"(/threads/[^/]+)?/runs(/stream|/wait|/batch)?|/v1/responses")
_BOUNDARY = re.compile(rb'boundary="?([^";,]+)"?', re.IGNORECASE)


class Fingerprint:
    """A running SHA-256 of a request, for which two encodings of the same multipart form are the same request.

    A client that repeats an upload draws a new boundary, so every occurrence of the boundary counts as a newline.
    """

    def __init__(self, scope: Scope) -> None:
        self._digest = hashlib.sha256()
        self._digest.update(f"{scope['method']} {scope['path']}?".encode() + scope["query_string"] + b"\n")
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        found = _BOUNDARY.search(content_type) if content_type.startswith(b"multipart/") else None
        self._boundary = found.group(1) if found else b""
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take in the next stretch of the body."""
        if not self._boundary:
            self._digest.update(chunk)
            return
        text = (self._rest + chunk).replace(self._boundary, b"\n")
        # The end may be the beginning of a boundary whose rest is still to come.
        cut = max(0, len(text) - len(self._boundary) + 1)
        self._digest.update(text[:cut])
        self._rest = text[cut:]

    def hexdigest(self) -> str:
        """The fingerprint of everything fed so far."""
        whole = self._digest.copy()
        whole.update(self._rest)
        return whole.hexdigest()


class Replay:
    """Claims the key, runs the request, keeps its answer; or gives the kept answer, without running anything.

    An endpoint whose answer must not be kept word for word (a new API key) leaves the body to keep in the
    request's state as `replay_body`.
    """

    def __init__(self, app: ASGIApp, idempotency: Idempotency) -> None:
        self.app = app
        self._idempotency = idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise `InvalidInput` for a malformed key, `InFlight` and `KeyReused` as the contract says."""
        key = None if scope["type"] == "http" and _RUNS.fullmatch(scope["path"]) else key_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        claimed = await self._idempotency.claim(scope["state"]["credential"].principal, key)
        if isinstance(claimed, Claim):
            await self._run(claimed, scope, receive, send)
        else:
            await _replay(claimed, scope, receive, send)

    async def _run(self, claim: Claim, scope: Scope, receive: Receive, send: Send) -> None:
        fingerprint = Fingerprint(scope)
        answer = _Answer()

        async def reading() -> Message:
            message = await receive()
            fingerprint.feed(message.get("body", b""))
            return message

        async def writing(message: Message) -> None:
            answer.add(message)
            if answer.ended and answer.status < 300:
                # Kept before the last byte leaves: whoever has seen the whole answer will see it again.
                body = scope["state"].get("replay_body", answer.body)
                kept = Stored(fingerprint.hexdigest(), answer.status, answer.headers, bytes(body))
                await self._idempotency.keep(claim, kept)
                answer.kept = True
            await send(message)

        try:
            async with self._idempotency.held(claim):
                await self.app(scope, reading, writing)
        finally:
            if not answer.kept:
                await self._idempotency.release(claim)


class _Answer:
    """What has been sent so far."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[list[str]] = []
        self.body = bytearray()
        self.ended = False
        self.kept = False

    def add(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [
                [name.decode("latin-1"), value.decode("latin-1")]
                for name, value in message["headers"]
                if name != b"content-length"
            ]
        else:
            self.body += message.get("body", b"")
            self.ended = not message.get("more_body", False)


async def _replay(stored: Stored, scope: Scope, receive: Receive, send: Send) -> None:
    fingerprint = Fingerprint(scope)
    more = True
    while more:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            return
        fingerprint.feed(message.get("body", b""))
        more = message.get("more_body", False)
    if fingerprint.hexdigest() != stored.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    scope["state"]["replayed"] = True
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in stored.headers]
    headers += [(b"idempotent-replayed", b"true"), (b"content-length", b"%d" % len(stored.body))]
    await send({"type": "http.response.start", "status": stored.status, "headers": headers})
    await send({"type": "http.response.body", "body": stored.body})


def key_of(scope: Scope) -> str | None:
    """The request's `Idempotency-Key`, if it is a POST with one. Raises `InvalidInput` for a malformed key."""
    if scope["type"] != "http" or scope["method"] != "POST" or "credential" not in scope["state"]:
        return None
    for name, value in scope["headers"]:
        if name == b"idempotency-key":
            if not _SANE_KEY.fullmatch(value):
                raise InvalidInput("An Idempotency-Key has 1 to 255 visible ASCII characters.", param="idempotency-key")
            return str(value.decode("ascii"))
    return None
