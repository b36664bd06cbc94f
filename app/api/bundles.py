"""/api/edge: bundles for devices, and the knowledge snapshots that go into them. Callers see what they may have."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute, listing
from app.api.ranged import ranged
from app.auth import Anyone, Engineer
from app.errors import responses
from app.snapshots import PackedSnapshot, Snapshots
from core.errors import NotFound
from core.types import Audience, Principal
from edge.manifest import Manifest, Needs
from edge.shelf import Published, Shelf

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ArtefactId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_NOSNIFF = {"x-content-type-options": "nosniff"}
# Asked for again each time, and then mostly answered with a 304.
_FRESH = {**_NOSNIFF, "cache-control": "private, no-cache"}
# What is named by its hash never changes.
_FOREVER = {**_NOSNIFF, "cache-control": "private, max-age=31536000, immutable"}
_FILE = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_BYTES: dict[int | str, dict[str, Any]] = {200: _FILE, 206: _FILE, 304: {"description": "The caller has it already."}}


class BundleView(BaseModel):
    """A bundle on offer: its newest build. `size` and `peak_memory` are in bytes, over all its artefacts."""

    object: str
    name: str
    counter: int
    etag: str
    created: datetime
    expires: datetime
    size: int
    peak_memory: int
    needs: Needs
    artefacts: list[dict[str, Any]] = Field(description="id, kind, runtime, size and evaluation card of each")


class BundleList(BaseModel):
    """The bundles that the caller may have, by name."""

    object: str
    data: list[BundleView]


class SnapshotRequest(BaseModel):
    """Of what audience's documents, and for how many days."""

    model_config = ConfigDict(extra="forbid")

    audience: Audience = Audience.PUBLIC
    days: int = Field(7, ge=1, le=366)


class SnapshotView(BaseModel):
    """A snapshot that was made. `file` is its name in the workspace's folder `edge/snapshots`."""

    object: str
    file: str
    sha256: str
    size: int
    audience: Audience
    documents: int
    passages: int
    expires: datetime


def routes(shelf: Shelf, snapshots: Snapshots) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/edge", tags=["edge"], route_class=StrictJsonRoute)

    @router.get("/bundles", response_model=BundleList, responses=responses())
    async def list_bundles(caller: Anyone) -> Response:
        """List the bundles that the caller may have."""
        found = await asyncio.to_thread(shelf.published, caller.tenant)
        return listing([_view(each) for each in found if each.manifest.visible_to(caller)])

    @router.get(
        "/bundles/{name}",
        response_class=Response,
        responses={
            200: {"content": {"application/json": {"schema": {"type": "object"}}}},
            206: {"content": {"application/json": {"schema": {}}}},
            304: {"description": "The caller has it already."},
            **responses(404, 412, 416),
        },
    )
    async def get_bundle(name: Name, caller: Anyone, request: Request) -> Response:
        """Give the signed manifest of the newest build, byte for byte as it was signed."""
        found = await asyncio.to_thread(_visible, shelf, caller, name)
        path = found.folder / "manifest.json"
        size = len(found.content)
        return ranged(request, path, found.etag, size=size, media_type="application/json", headers=_FRESH)

    @router.get(
        "/bundles/{name}/artefacts/{artefact_id}",
        response_class=Response,
        responses=_BYTES | responses(404, 412, 416),
    )
    async def get_artefact(name: Name, artefact_id: ArtefactId, caller: Anyone, request: Request) -> Response:
        """Give an artefact of the newest build, or a range of its bytes; its entity tag is its SHA-256."""
        found = await asyncio.to_thread(_visible, shelf, caller, name)
        artefact = found.manifest.artefact(artefact_id)
        if artefact is None:
            raise NotFound(f"no artefact {artefact_id} in the bundle {name}", param="artefact_id")
        return ranged(request, found.path(artefact), artefact.etag, size=artefact.size, headers=_FRESH)

    @router.get(
        "/bundles/{name}/chunks/{sha256}",
        response_class=Response,
        responses=_BYTES | responses(404, 412, 416),
    )
    async def get_chunk(name: Name, sha256: Hash, caller: Anyone, request: Request) -> Response:
        """Give a chunk of the newest build by its hash; it may be kept for good."""
        found = await asyncio.to_thread(_visible, shelf, caller, name)
        for artefact in found.manifest.artefacts:
            start = 0
            for chunk in artefact.chunks:
                if chunk.sha256 == sha256:
                    path, tag = found.path(artefact), f'"{sha256}"'
                    return ranged(request, path, tag, size=chunk.size, start=start, headers=_FOREVER)
                start += chunk.size
        raise NotFound(f"no chunk {sha256} in the bundle {name}", param="sha256")

    @router.post("/snapshots", status_code=201, response_model=SnapshotView, responses=responses(403, 404))
    async def make_snapshot(wanted: SnapshotRequest, caller: Engineer) -> Response:
        """Make a snapshot of the caller's company's documents, to be put into a bundle by `wayside edge build`."""
        return Json(_made(await snapshots.make(caller.tenant, wanted.audience, wanted.days), wanted.audience), 201)

    return router


def _visible(shelf: Shelf, caller: Principal, name: str) -> Published:
    """The bundle, if the caller may have it: what it may not have is not told from what is not there."""
    found = shelf.get(caller.tenant, name)
    if not found.manifest.visible_to(caller):
        raise NotFound(f"no bundle {name}", param="name")
    return found


def _view(found: Published) -> dict[str, Any]:
    manifest: Manifest = found.manifest
    return {
        "object": "bundle",
        "name": manifest.name,
        "counter": manifest.counter,
        "etag": found.etag,
        "created": manifest.created,
        "expires": manifest.expires,
        "size": manifest.size,
        "peak_memory": manifest.peak_memory,
        "needs": manifest.needs.model_dump(mode="json"),
        "artefacts": [
            each.model_dump(mode="json", include={"id", "kind", "runtime", "size", "card"})
            for each in manifest.artefacts
        ],
    }


def _made(made: PackedSnapshot, audience: Audience) -> dict[str, Any]:
    return {
        "object": "snapshot",
        "file": made.path.name,
        "sha256": made.sha256,
        "size": made.size,
        "audience": audience,
        "documents": made.card.documents,
        "passages": made.card.passages,
        "expires": made.card.expires,
    }
