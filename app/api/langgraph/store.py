"""/store: items that outlive threads, each caller's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.auth import Anyone
from app.errors import responses
from app.runs.owner import Owner
from app.store import Item, Store
from core.errors import UnsupportedParameter

Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^.\x00]+$")]
Namespace = Annotated[list[Label], Field(min_length=1, max_length=20)]
Prefix = Annotated[list[Label], Field(max_length=20)]
Key = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
_NO_TTL = "Items have no time to live: delete them."


class ItemView(BaseModel):
    """An item. `score` is null: items are not searched by meaning."""

    namespace: list[str]
    key: str
    value: dict[str, Any]
    created_at: str
    updated_at: str


class Items(BaseModel):
    """What a search found."""

    items: list[ItemView]


class Namespaces(BaseModel):
    """Namespaces that have items."""

    namespaces: list[list[str]]


class NewItem(BaseModel):
    """An item to be written. Items are not indexed, so `index` can only say that."""

    model_config = ConfigDict(extra="forbid")

    namespace: Namespace
    key: Key
    value: dict[str, Any]
    index: Literal[False] | list[str] | None = None
    ttl: Any = None


class ItemAt(BaseModel):
    """Where an item is."""

    model_config = ConfigDict(extra="forbid")

    namespace: Namespace
    key: Key


class ItemSearch(BaseModel):
    """Which items: under a prefix, with values that meet the filter."""

    model_config = ConfigDict(extra="forbid")

    namespace_prefix: Prefix = Field(default_factory=list)
    filter: dict[str, Any] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    query: Any = None
    refresh_ttl: Any = None


class NamespaceSearch(BaseModel):
    """Which namespaces; `*` in a prefix or suffix stands for any one label."""

    model_config = ConfigDict(extra="forbid")

    prefix: Prefix | None = None
    suffix: Prefix | None = None
    max_depth: Annotated[int, Field(ge=1, le=20)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0


def routes(store: Store) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/store", tags=["store"], route_class=StrictJsonRoute)

    @router.put("/items", status_code=204, responses=responses(422))
    async def put_item(body: NewItem, caller: Anyone) -> Response:
        """Write an item."""
        if body.ttl is not None:
            raise UnsupportedParameter(_NO_TTL, param="ttl")
        if body.index:
            raise UnsupportedParameter("Items are not indexed by meaning.", param="index")
        await store.put(Owner.of(caller), body.namespace, body.key, body.value)
        return Response(status_code=204)

    @router.get("/items", response_model=ItemView, responses=responses(404))
    async def get_item(
        caller: Anyone,
        key: Annotated[str, Query(min_length=1, max_length=500, pattern=r"^[^\x00]+$")],
        namespace: Annotated[str, Query(description="labels, joined by periods", pattern=r"^[^\x00]*$")] = "",
        refresh_ttl: Annotated[str | None, Query()] = None,
    ) -> Response:
        """Read an item."""
        if refresh_ttl is not None:
            raise UnsupportedParameter(_NO_TTL, param="refresh_ttl")
        return Json(_view(await store.get(Owner.of(caller), namespace.split("."), key)))

    @router.delete("/items", status_code=204, responses=responses(422))
    async def delete_item(body: ItemAt, caller: Anyone) -> Response:
        """Remove an item."""
        await store.delete(Owner.of(caller), body.namespace, body.key)
        return Response(status_code=204)

    @router.post("/items/search", response_model=Items, responses=responses(422))
    async def search_items(body: ItemSearch, caller: Anyone) -> Response:
        """Find items, those changed last first."""
        if body.query is not None:
            raise UnsupportedParameter("Items are not searched by meaning: use filter.", param="query")
        if body.refresh_ttl is not None:
            raise UnsupportedParameter(_NO_TTL, param="refresh_ttl")
        found = await store.search(Owner.of(caller), body.namespace_prefix, body.filter)
        return Json({"items": [_view(item) for item in found[body.offset : body.offset + body.limit]]})

    @router.post("/namespaces", response_model=Namespaces, responses=responses(422))
    async def list_namespaces(body: NamespaceSearch, caller: Anyone) -> Response:
        """List the namespaces that have items."""
        matching = [each for each in await store.namespaces(Owner.of(caller)) if _fits(each, body)]
        cut = list(dict.fromkeys(each[: body.max_depth] for each in matching))
        return Json({"namespaces": cut[body.offset : body.offset + body.limit]})

    return router


def _fits(namespace: tuple[str, ...], wanted: NamespaceSearch) -> bool:
    prefix, suffix = wanted.prefix or [], wanted.suffix or []
    if max(len(prefix), len(suffix)) > len(namespace):
        return False
    last = namespace[len(namespace) - len(suffix) :]
    pairs = [*zip(prefix, namespace, strict=False), *zip(suffix, last, strict=True)]
    return all(pattern in ("*", label) for pattern, label in pairs)


def _view(item: Item) -> dict[str, Any]:
    return {
        "namespace": item.namespace,
        "key": item.key,
        "value": item.value,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
