"""Documents, their worker and an index put together as the program does it, on fakes where asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.database import Database
from retrieval.documents import Documents
from retrieval.index import PassageStore
from retrieval.index.layout import Layout
from retrieval.ingest import Ingestion
from retrieval.jobs import Jobs
from retrieval.migrate import Generation, Generations
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.index import FakeIndex

LAYOUT = Layout(("text",), 32)


@dataclass
class Library:
    """The parts. `indexes` are the fake indexes by fingerprint; an index is made when it is first opened."""

    database: Database
    jobs: Jobs
    generations: Generations
    documents: Documents
    ingestion: Ingestion
    indexes: dict[str, FakeIndex]
    embeddings: dict[str, FakeEmbeddings]


def assemble(
    database: Database, indexes: dict[str, FakeIndex] | None = None, *, delay: float = 0.0, lease: float = 30.0
) -> Library:
    """A library on `database`. Hand over `indexes` to see what an earlier one has indexed, as after a restart."""
    kept = {} if indexes is None else indexes
    embeddings: dict[str, FakeEmbeddings] = {}

    async def open_(fingerprint: str, model: str) -> Generation:
        embeddings[fingerprint] = FakeEmbeddings(LAYOUT.size, salt=model, delay=delay)
        index: PassageStore = kept.setdefault(fingerprint, FakeIndex(LAYOUT))
        return Generation(fingerprint, embeddings[fingerprint], index)

    async def remove(fingerprint: str) -> None:
        kept.pop(fingerprint, None)

    jobs = Jobs(database, lease=lease)
    generations = Generations(database, jobs, open_, remove)
    documents = Documents(database, jobs, generations)
    return Library(database, jobs, generations, documents, Ingestion(database, jobs, generations), kept, embeddings)


@asynccontextmanager
async def working(library: Library, model: str = "one") -> AsyncIterator[Library]:
    """The library with its worker running, on the embedding model of that name."""
    await library.generations.start(f"fingerprint-{model}", model)
    await library.ingestion.start()
    try:
        yield library
    finally:
        await library.ingestion.stop()
        await library.generations.close()


class StillGeneration:
    """One generation that is never moved."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        yield self._generation
