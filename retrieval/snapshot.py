"""Knowledge to take along: a Qdrant Edge shard that holds what one scope may see, and was never near anything else.

The folder is one that `retrieval.index.edge.EdgeIndex` opens, beside `snapshot.json`, which says what is in it. The
shard is made anew rather than copied and thinned out, because an engine does not overwrite what it deletes. The same
documents make points with the same ids and payloads, so that a later snapshot shares most of its bytes; the log that
the engine kept while writing is left out, because everything in it has been written through.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from core.errors import NotFound
from core.ports import IndexedPassage
from core.types import Audience, Scope
from retrieval.documents import Document
from retrieval.index.edge import OPTIMISE_AFTER
from retrieval.index.layout import SCOPE, Layout, point_id, scope_of, to_payload
from retrieval.index.pipe import Host, HostFailed, end, start
from retrieval.migrate import Reading

CARD = "snapshot.json"
_SHARD = "shard-1"
_PAGE = 500


# What makes a document's passages visible, and the passages.
_Part = tuple[str, Sequence[IndexedPassage]]


class DocumentList(Protocol):
    """What a snapshot needs of the documents."""

    async def list(self, tenant: str, limit: int = 100, after: str | None = None) -> Sequence[Document]:
        """Up to `limit` documents in the order of their ids, those after the id `after`."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot holds. `embedding` is the fingerprint of the model that a query must be embedded with."""

    tenant: str
    audiences: tuple[Audience, ...]
    embedding: str
    vectors: tuple[str, ...]
    dimensions: int
    documents: int
    passages: int
    expires: datetime


async def write_snapshot(
    folder: Path, scope: Scope, expires: datetime, documents: DocumentList, generations: Reading
) -> Snapshot:
    """Write into `folder`, which must not be there yet, the passages that `scope` may see.

    Raises `NotFound` when there are none; the folder is then not made.
    """
    async with generations.reading() as generation:
        held = list[_Part]()
        for document in await _visible(documents, scope):
            if found := await generation.index.export(scope, document.id):
                held.append((scope_of(scope.tenant, document.audience), found))
        fingerprint = generation.id
    if not held:
        raise NotFound("there is no document that this audience may see", param="audience")
    first = held[0][1][0].vectors
    layout = Layout(tuple(first), len(next(iter(first.values()))))
    count = sum(len(passages) for _, passages in held)
    try:
        await _write(folder / _SHARD, layout, scope.tenant, held)
        await _settle(folder / _SHARD, layout, optimise=count >= OPTIMISE_AFTER)
        made = Snapshot(
            scope.tenant, scope.audiences, fingerprint, layout.names, layout.size, len(held), count, expires
        )
        (folder / CARD).write_bytes(orjson.dumps(made, option=orjson.OPT_SORT_KEYS))
        (folder / "current").write_text(_SHARD)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    return made


def read_card(folder: Path) -> Snapshot:
    """What the snapshot in `folder` holds. Raises `NotFound` when there is none."""
    try:
        card = orjson.loads((folder / CARD).read_bytes())
    except FileNotFoundError:
        raise NotFound(f"no snapshot in {folder}") from None
    return Snapshot(
        **{
            **card,
            "audiences": tuple(map(Audience, card["audiences"])),
            "vectors": tuple(card["vectors"]),
            "expires": datetime.fromisoformat(card["expires"]),
        }
    )


async def _visible(documents: DocumentList, scope: Scope) -> list[Document]:
    found, after = list[Document](), None
    while page := await documents.list(scope.tenant, limit=_PAGE, after=after):
        found += [each for each in page if each.audience in scope.audiences]
        after = page[-1].id
    return found


async def _write(folder: Path, layout: Layout, tenant: str, held: list[_Part]) -> None:
    host = await Host.open(folder, layout)
    try:
        for visible, passages in held:
            for each in passages:
                # One by one: of several at once the engine chooses the order anew each time, and no byte would be
                # where it was in the snapshot before.
                await host.call("write", points=[_point(tenant, visible, each)])
        await host.call("flush")
    finally:
        await host.close()


async def _settle(folder: Path, layout: Layout, *, optimise: bool) -> None:
    """Build the graph where a search would use one, and leave away what opening the shard does not need."""
    if optimise:
        process = await start("optimise", folder, layout)
        try:
            status = await process.wait()
        finally:
            await end(process)
        if status != 0:
            raise HostFailed(f"the optimiser ended with status {status}")
    await asyncio.to_thread(shutil.rmtree, folder / "wal", ignore_errors=True)
    (folder / "host.lock").unlink(missing_ok=True)


def _point(tenant: str, visible: str, item: IndexedPassage) -> dict[str, object]:
    """A point that is visible from the start. Its revision stands for its text, so that the same text is the same."""
    revision = hashlib.sha256(item.passage.text.encode()).hexdigest()[:32]
    return {
        # 63 bits, as in `retrieval.index.edge`.
        "id": point_id(tenant, item.passage, revision).int >> 65,
        "vectors": dict(item.vectors),
        "payload": {**to_payload(tenant, item.passage, revision), SCOPE: visible},
    }
