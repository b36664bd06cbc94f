"""A process that ingests until it is done or killed: `python -m tests.integration.ingesting WORKSPACE VERSION`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core.database import Database
from retrieval.documents import Documents
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.ingest import Ingestion
from retrieval.jobs import Jobs
from retrieval.migrate import Generation, Generations
from tests.fakes.embeddings import FakeEmbeddings

LAYOUT = Layout(("text",), 32)
DOCUMENTS = 40


def article(number: int, version: int) -> bytes:
    """A document that has 3 to 6 passages, each with a word for its version."""
    paragraph = f"Article n{number} in version v{version} tells how the parcel is sent and when it comes back. " * 10
    return f"# Article {number}\n\n{chr(10).join([paragraph, ''] * (3 + number % 4))}".encode()


async def main(workspace: Path, version: int) -> None:
    """Add every article in this version, tell so, and index them all."""
    database = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    jobs = Jobs(database)

    async def open_(fingerprint: str, _model: str) -> Generation:
        index = await EdgeIndex.open(workspace / "index" / fingerprint, LAYOUT, optimise_after=150)
        return Generation(fingerprint, FakeEmbeddings(LAYOUT.size, delay=0.03), index)

    async def remove(_fingerprint: str) -> None:
        raise AssertionError("nothing is to be removed")

    generations = Generations(database, jobs, open_, remove)
    documents, ingestion = Documents(database, jobs, generations), Ingestion(database, jobs, generations)
    await generations.start("one", "one")
    await ingestion.start()
    for number in range(DOCUMENTS):
        await documents.add("acme", f"{number}.md", article(number, version))
        if number == DOCUMENTS // 2:
            print("started", flush=True)
    await ingestion.wait_idle()
    print("idle", flush=True)
    await ingestion.stop()
    await generations.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
