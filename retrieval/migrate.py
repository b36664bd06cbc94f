"""The index in use, and the one that is being built to take its place.

Moving to another embedding model needs new vectors for everything. The new generation is filled beside the active
one, from the stored documents and by the same worker that ingests; whatever changes meanwhile goes to both. When
nothing is left to do, one transaction makes the new one active, and the old one is taken down once the searches
that are under way on it have ended. Everything that must outlive a kill is in the database.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from langchain_core.embeddings import Embeddings
from sqlalchemy import delete, select, update

from core.database import Database, now
from retrieval.index import PassageStore
from retrieval.jobs import UNFINISHED, Jobs, changed
from retrieval.tables import DocumentRow, DocumentStatus, GenerationRow, GenerationStatus, JobKind, JobRow

BUILDING, ACTIVE, RETIRED = (each.value for each in GenerationStatus)


@dataclass(frozen=True, slots=True)
class Generation:
    """All documents under one embedding model. `id` is the model's fingerprint."""

    id: str
    embeddings: Embeddings
    index: PassageStore


class Reading(Protocol):
    """What a search needs of the generations: the active one, kept open while it is used."""

    def reading(self) -> AbstractAsyncContextManager[Generation]:
        """The active generation, which stays open until the block ends."""


class Generations:
    """The active generation and the one being built, as the database has them.

    `open_` makes the generation of a fingerprint and a model's name; `remove` deletes what a closed one has stored.
    `grace` is how many seconds a retired generation is kept for other processes' searches.
    """

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        open_: Callable[[str, str], Awaitable[Generation]],
        remove: Callable[[str], Awaitable[None]],
        *,
        grace: float = 0.0,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._open = open_
        self._remove = remove
        self._grace = grace
        self._opened: dict[str, Generation] = {}
        self._active: Generation | None = None
        self._building: Generation | None = None
        self._readers: Counter[str] = Counter()
        self._read = asyncio.Event()
        self._refreshing = asyncio.Lock()

    @property
    def active(self) -> Generation:
        """The generation that searches use."""
        if self._active is None:
            raise RuntimeError("no generation is open: await start() first")
        return self._active

    @property
    def building(self) -> Generation | None:
        """The generation that is being filled, if a move is under way."""
        return self._building

    @property
    def writable(self) -> tuple[Generation, ...]:
        """The generations that a document must be written to: the active one first."""
        return (self.active,) if self._building is None else (self.active, self._building)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        """The active generation, which stays open until the block ends."""
        generation = self.active
        self._readers[generation.id] += 1
        try:
            yield generation
        finally:
            self._readers[generation.id] -= 1
            self._read.set()

    async def start(self, fingerprint: str, model: str) -> None:
        """Open what there is. A model other than the active generation's begins a move, or resumes it."""
        async with self._database.session() as session:
            rows = {row.id: row.status for row in await session.scalars(select(GenerationRow))}
            active = next((each for each, status in rows.items() if status == ACTIVE), None)
            others = [each for each, status in rows.items() if each not in (active, fingerprint) or status == RETIRED]
        for stale in others:
            await self._discard(stale)
            rows.pop(stale)
        if active is None:
            await self._insert(fingerprint, model, GenerationStatus.ACTIVE)
        elif active == fingerprint:
            await self._drop_moves()
        elif fingerprint not in rows:
            await self._insert(fingerprint, model, GenerationStatus.BUILDING)
        await self.refresh()

    async def refresh(self) -> None:
        """See what other processes have changed."""
        async with self._refreshing:
            async with self._database.session() as session:
                rows = list(await session.scalars(select(GenerationRow).where(GenerationRow.status != RETIRED)))
            for row in rows:
                if row.id not in self._opened:
                    self._opened[row.id] = await self._open(row.id, row.model)
            of = {row.status: self._opened[row.id] for row in rows}
            self._active, self._building = of.get(ACTIVE, self._active), of.get(BUILDING)

    async def advance(self) -> bool:
        """Switch to the generation being built if it is complete. Returns whether it did."""
        old, new = self._active, self._building
        if old is None or new is None:
            return False
        nothing_left = ~select(JobRow.id).where(JobRow.status.in_(UNFINISHED)).exists()
        async with self._database.session() as session:
            complete = update(GenerationRow).where(GenerationRow.id == new.id, nothing_left).values(status=ACTIVE)
            if not await changed(session, complete):
                return False
            await session.execute(update(GenerationRow).where(GenerationRow.id == old.id).values(status=RETIRED))
        self._active, self._building = new, None
        await asyncio.sleep(self._grace)
        while self._readers[old.id]:
            await self._read.wait()
            self._read.clear()
        await self._opened.pop(old.id).index.close()
        await self._discard(old.id)
        return True

    async def close(self) -> None:
        """Close every open generation."""
        for generation in self._opened.values():
            await generation.index.close()
        self._opened.clear()

    async def _insert(self, fingerprint: str, model: str, status: GenerationStatus) -> None:
        """Record a new generation, and with it a job for every document that it must get."""
        async with self._database.session() as session:
            session.add(GenerationRow(id=fingerprint, model=model, status=status.value, created_at=now()))
            await session.flush()
            documents = await session.execute(
                select(DocumentRow.tenant, DocumentRow.id, DocumentRow.status).where(
                    DocumentRow.status != DocumentStatus.DELETING.value
                )
            )
            for tenant, document_id, state in documents.all():
                # Work that is queued or under way starts again as what it was, now for both generations.
                moves = state == DocumentStatus.READY.value and status is GenerationStatus.BUILDING
                kind = JobKind.MOVE if moves else JobKind.INDEX
                await self._jobs.put(session, tenant, document_id, kind)
        self._jobs.wake()

    async def _drop_moves(self) -> None:
        async with self._database.session() as session:
            await session.execute(delete(JobRow).where(JobRow.kind == JobKind.MOVE.value))

    async def _discard(self, generation: str) -> None:
        await self._remove(generation)
        async with self._database.session() as session:
            await session.execute(delete(GenerationRow).where(GenerationRow.id == generation))
