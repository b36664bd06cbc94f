"""The outermost layer: every request gets an id, one line in the log, and its place in the metrics."""

from __future__ import annotations

import re
import secrets
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.metrics import Metrics

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
# What layers further in leave in the request's state for the log line.
LOGGED = ("key_id", "tenant", "model", "engine", "prompt_tokens", "completion_tokens", "first_token_ms", "replayed")
CLIENT_GONE = 499


class Requests:
    """Request id, access log and metrics, around everything else.

    Layers inside add to `scope["state"]`: the fields of `LOGGED`, and `headers`, a list of header pairs that
    every answer to this request will carry.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an HTTP request on; everything that is not HTTP goes by untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        request_id = _request_id(scope)
        headers: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id)]
        state: dict[str, Any] = scope.setdefault("state", {})
        state.update(request_id=request_id.decode(), headers=headers, start=start)
        status = 0
        ended = False

        async def label(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers]
            elif not message.get("more_body", False):
                ended = True
            await send(message)

        failed = True
        try:
            await self.app(scope, receive, label)
            failed = False
        finally:
            if failed and not status:
                status = 500  # the answer itself is made further out, by app.errors
            elif not ended:
                status = CLIENT_GONE
            self._record(scope, status, perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # What no route or method of ours matches gets one label, lest strangers fill the metrics with names.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.request(method, route, status, seconds)
        state = scope["state"]
        logs.logger.info(
            "request",
            request_id=state["request_id"],
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            **{name: state[name] for name in LOGGED if name in state},
        )


def _request_id(scope: Scope) -> bytes:
    """The client's own id, if it is short and plain; otherwise a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return bytes(value)
    return b"req_" + secrets.token_hex(12).encode()
