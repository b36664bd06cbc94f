"""/api/keys: who may call. For admins, within their own tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Admin
from app.errors import responses
from core.identity import ApiKey, Identity
from core.types import Role

_LARGEST = 2**31 - 1


class NewKey(BaseModel):
    """What a key is for and what it may do. A client key acts for one customer, or for an anonymous visitor."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]
    role: Role
    customer_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None
    tokens_per_day: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None


class Key(BaseModel):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    customer_id: str | None
    requests_per_minute: int | None
    tokens_per_day: int | None
    created_at: datetime
    revoked_at: datetime | None


class CreatedKey(Key):
    """A new key. `key` is the secret, shown this once: when the request is repeated under its Idempotency-Key, null."""

    key: str | None


class KeyList(BaseModel):
    """Every key of the tenant, oldest first, revoked ones included."""

    object: str
    data: list[Key]


def routes(identity: Identity) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=StrictJsonRoute)

    @router.post("", status_code=201, response_model=CreatedKey, responses=responses(403, 409, 422))
    async def create_key(request: Request, body: NewKey, caller: Admin) -> Response:
        """Make a key."""
        secret, row = await identity.create(caller.tenant, **body.model_dump())
        # The database keeps only hashes of keys, and that holds for answers kept for repetition too.
        request.state.replay_body = orjson.dumps({**_view(row), "key": None})
        return Json({**_view(row), "key": secret}, 201)

    @router.get("", response_model=KeyList, responses=responses(403))
    async def list_keys(caller: Admin) -> Response:
        """List the keys."""
        return listing([_view(row) for row in await identity.list(caller.tenant)])

    @router.delete("/{key_id}", status_code=204, responses=responses(403, 404))
    async def revoke_key(key_id: str, caller: Admin) -> Response:
        """End a key's life, at once in this process and within half a minute in others."""
        await identity.revoke(caller.tenant, key_id)
        return Response(status_code=204)

    return router


def _view(row: ApiKey) -> dict[str, object]:
    return {name: getattr(row, name) for name in Key.model_fields}
