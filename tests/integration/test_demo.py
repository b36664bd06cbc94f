"""The demo company is loaded whole, once, and never beside documents of somebody's own."""

from __future__ import annotations

from pathlib import Path

from app.demo.load import articles, has_records
from app.demo.loading import SOURCE, load_demo
from core.database import Database
from tests.fakes.library import assemble, working


async def test_a_load_that_was_killed_is_taken_up_again_and_a_finished_one_is_not(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    await database.migrate()
    library = assemble(database)
    first = next(articles())
    await library.documents.add("acme", first.name, first.read_bytes(), source=SOURCE + first.name)
    async with working(library):
        await load_demo(database, library.documents, library.ingestion, "acme", None)
        loaded = await library.documents.list("acme", limit=100)
        assert len(loaded) == len(list(articles())) and await has_records(database, "acme")
        await library.documents.delete("acme", loaded[0].id)
        await load_demo(database, library.documents, library.ingestion, "acme", None)
        assert len(await library.documents.list("acme", limit=100)) == len(loaded) - 1
    await database.close()


async def test_a_workspace_with_documents_of_its_own_is_left_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    await database.migrate()
    library = assemble(database)
    await library.documents.add("acme", "own.md", b"# Own\n\nSomething of ours.\n")
    async with working(library):
        await load_demo(database, library.documents, library.ingestion, "acme", None)
        assert len(await library.documents.list("acme", limit=100)) == 1
    assert not await has_records(database, "acme")
    await database.close()
