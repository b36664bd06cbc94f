"""Bundles: what a device downloads at first and for a change, against the whole, and how fast files are cut.

The snapshot is made by the real engine of documents with a language's spread of words, of which one in a thousand, one
in a hundred and one in ten change. The adapters are LoRA matrices of the house model's shape: tuned on (every number
moves), and with a few of their thirty layers tuned.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
from langchain_core.embeddings import Embeddings

from core.ports import IndexedPassage
from core.types import Audience, Passage, Scope
from edge.archive import pack
from edge.chunks import AVERAGE, AVERAGES, chunk_file, cut, missing_bytes
from edge.manifest import Chunk, Kind
from evals.bench.figure import Figure
from retrieval.documents import Document
from retrieval.index import PassageStore
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.migrate import Generation
from retrieval.snapshot import write_snapshot
from retrieval.tables import DocumentStatus

DOCUMENTS, PASSAGES, WORDS = 1000, 5, 90
LAYERS, RANK, WIDTH = 30, 16, 576
_TENANT, _MOMENT = "acme", datetime(2026, 1, 1, tzinfo=UTC)
_SCOPE = Scope(_TENANT, (Audience.PUBLIC,))
_WHOLE = "the whole file"


def measure() -> list[Figure]:
    """Sizes are the same each time but for what the engine writes by chance; one round is measured."""
    return [*_speed(), *_adapters(), *asyncio.run(_snapshots())]


def _speed() -> list[Figure]:
    content = np.random.default_rng(1).bytes(64 * 2**20)
    rounds = []
    for _ in range(3):
        begun = time.perf_counter()
        for piece in cut(io.BytesIO(content)):
            hashlib.sha256(piece).digest()
        rounds.append(len(content) / 1e6 / (time.perf_counter() - begun))
    return [Figure("cutting a file into chunks, with their hashes", "MB/s", rounds)]


def _adapters() -> list[Figure]:
    chance = np.random.default_rng(2)
    layers = [chance.normal(0, 0.02, 14 * RANK * WIDTH).astype(np.float16) for _ in range(LAYERS)]
    one = b"".join(layer.tobytes() for layer in layers)
    moved = [layer + chance.normal(0, 1e-3, layer.shape).astype(np.float16) for layer in layers]
    some = [moved[at] if at in (3, 14, 25) else layer for at, layer in enumerate(layers)]
    versions = {"every layer tuned on": moved, "3 of 30 layers tuned on": some}
    return [
        _delta(f"adapter, {name}", _chunks(one), _chunks(b"".join(layer.tobytes() for layer in version)))
        for name, version in versions.items()
    ]


def _chunks(content: bytes) -> tuple[Chunk, ...]:
    return tuple(Chunk(hashlib.sha256(piece).hexdigest(), len(piece)) for piece in cut(io.BytesIO(content), AVERAGE))


def _delta(name: str, old: Sequence[Chunk], new: Sequence[Chunk]) -> Figure:
    whole = sum(chunk.size for chunk in new) / 1e6
    fetched = missing_bytes(tuple(new), frozenset(chunk.sha256 for chunk in old)) / 1e6
    return Figure(f"{name}: fetched", "MB", [fetched], [whole], _WHOLE)


async def _snapshots() -> list[Figure]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        library = await _Library.open(folder / "index")
        try:
            await library.fill()
            begun = time.perf_counter()
            first = await library.snapshot(folder / "first")
            seconds = time.perf_counter() - begun
            shard = sum(path.stat().st_size for path in (folder / "first").rglob("*") if path.is_file()) / 1e6
            packed = sum(chunk.size for chunk in first) / 1e6
            count = DOCUMENTS * PASSAGES
            figures = [
                Figure(
                    f"snapshot of {count} passages", "MB", [packed], [shard], "the shard's files as the engine sets up"
                ),
                Figure(f"snapshot of {count} passages: making it", "s", [seconds]),
                _delta("snapshot, nothing changed", first, await library.snapshot(folder / "again")),
            ]
            for changed in (1, DOCUMENTS // 100, DOCUMENTS // 10):
                await library.change(changed)
                name = f"snapshot, {changed} of {DOCUMENTS} documents changed"
                new = await library.snapshot(folder / f"changed-{changed}")
                figures.append(_delta(name, first, new))
                first = new
            return figures
        finally:
            await library.index.close()


class _Library:
    """Documents whose words are spread like a language's, in an index."""

    def __init__(self, index: PassageStore) -> None:
        self.index = index
        self._chance = np.random.default_rng(3)
        letters = self._chance.integers(97, 123, (5000, 9)).astype(np.uint8)
        self._words = [row[: 2 + at % 8].tobytes().decode() for at, row in enumerate(letters)]
        self._rows = [_row(number) for number in range(DOCUMENTS)]

    @classmethod
    async def open(cls, folder: Path) -> _Library:
        return cls(await EdgeIndex.open(folder, Layout()))

    async def fill(self) -> None:
        for row in self._rows:
            await self._write(row)

    async def change(self, count: int) -> None:
        for row in self._chance.choice(np.array(self._rows, object), count, replace=False):
            await self._write(row)

    async def snapshot(self, folder: Path) -> tuple[Chunk, ...]:
        await write_snapshot(folder, _SCOPE, _MOMENT, self, self)
        pack(folder, folder.with_suffix(".zip"))
        return chunk_file(folder.with_suffix(".zip"), AVERAGES[Kind.SNAPSHOT])

    async def list(self, tenant: str, limit: int = 100, after: str | None = None) -> list[Document]:
        return [row for row in self._rows if tenant == _TENANT and (after is None or row.id > after)][:limit]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        # Nothing is embedded for a snapshot: the vectors are those of the index.
        yield Generation("bench", cast("Embeddings", None), self.index)

    async def _write(self, row: Document) -> None:
        passages = []
        for position in range(PASSAGES):
            text = " ".join(self._words[rank % 5000] for rank in self._chance.zipf(1.2, WORDS))
            vector = self._chance.standard_normal(384).astype(np.float32)
            passage = Passage(row.id, row.title, (), text, 0, len(text), position)
            passages.append(IndexedPassage(passage, {"text": vector / np.linalg.norm(vector)}))
        await self.index.replace(_TENANT, row.id, row.audience, passages)


def _row(number: int) -> Document:
    return Document(
        id=f"doc_{number:05}",
        source=f"{number}",
        filename=f"{number}.md",
        title=f"Article {number}",
        media_type=None,
        audience=Audience.PUBLIC,
        sha256="",
        bytes=1,
        characters=1,
        passages=PASSAGES,
        status=DocumentStatus.READY,
        error=None,
        revision=1,
        created_at=_MOMENT,
        updated_at=_MOMENT,
        done=PASSAGES,
        total=PASSAGES,
    )
