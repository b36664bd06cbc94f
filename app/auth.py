"""Who is asking: a key becomes a `Principal`, before a byte of the body is read.

The key comes as `Authorization: Bearer`, or, as `langgraph-sdk` sends it, in `x-api-key`. A browser can send neither
with a WebSocket: there it comes as OpenAI's subprotocol `openai-insecure-api-key.…`.
"""

from __future__ import annotations

from time import monotonic
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.subject import answering
from core.errors import Forbidden, Unauthenticated
from core.identity import Identity
from core.types import Principal, Role

_GUARDED = ("/v1", "/api", "/metrics", "/assistants", "/threads", "/runs", "/store", "/mcp")
SUBPROTOCOL = "openai-insecure-api-key."
_RANKS = {role: rank for rank, role in enumerate(Role)}


class Authentication:
    """Lets nothing under the guarded prefixes pass without a key, whether a route exists there or not.

    Leaves `credential` in the request's state.
    """

    def __init__(self, app: ASGIApp, identity: Identity) -> None:
        self.app = app
        self._identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Recognise the caller, or raise `Unauthenticated`."""
        if scope["type"] in ("http", "websocket") and _guards(scope["path"]):
            credential = await self._identity.recognise(_key(scope), monotonic())
            if credential is None:
                raise Unauthenticated("This API key is not known, or it was revoked.")
            principal = credential.principal
            if scope["type"] == "websocket":
                scope.setdefault("state", {}).setdefault("headers", [])
            scope["state"].update(credential=credential, key_id=principal.key_id, tenant=principal.tenant)
            answering(principal.tenant, principal.owner)
        await self.app(scope, receive, send)


class Caller(HTTPBearer):
    """A dependency that gives the authenticated principal and asks for at least one role."""

    def __init__(self, least: Role) -> None:
        super().__init__(scheme_name="key", description="An API key: `wsk_…`", auto_error=False)
        self._least = least

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Raise `Forbidden` when the caller's role may not do this."""
        principal: Principal = request.scope["state"]["credential"].principal
        if not at_least(principal, self._least):
            raise Forbidden(f"This needs a key of role {self._least.value} or above; yours is {principal.role.value}.")
        return principal


def at_least(principal: Principal, role: Role) -> bool:
    """Whether the principal may do what this role may."""
    return _RANKS[principal.role] >= _RANKS[role]


Anyone = Annotated[Principal, Security(Caller(Role.CLIENT))]
Staff = Annotated[Principal, Security(Caller(Role.STAFF))]
Engineer = Annotated[Principal, Security(Caller(Role.ENGINEER))]
Admin = Annotated[Principal, Security(Caller(Role.ADMIN))]


def _guards(path: str) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in _GUARDED)


def _key(scope: Scope) -> str:
    own = ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").partition(" ")
            own = key.strip() if scheme.lower() == "bearer" else ""
            break
        if name == b"x-api-key":
            own = value.decode("latin-1").strip()
        if name == b"sec-websocket-protocol" and scope["type"] == "websocket" and not own:
            offered = (each.strip() for each in value.decode("latin-1").split(","))
            own = next((each[len(SUBPROTOCOL) :] for each in offered if each.startswith(SUBPROTOCOL)), "")
    if own:
        return own
    raise Unauthenticated("Send your API key as `Authorization: Bearer wsk_…` or in `x-api-key`.")
