"""Documents from upload to index and back out, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from core.database import Base, Database
from core.errors import InvalidInput, NotFound, UnreadableDocument, UnsupportedMedia
from core.ports import HybridQuery
from core.types import Audience, Scope
from retrieval.documents import Document
from retrieval.encode import embed_query
from retrieval.ingest import Ingestion, Progress
from retrieval.tables import ContentRow, DocumentRow, DocumentStatus, JobKind, JobRow
from tests.fakes.index import found as index_found
from tests.fakes.library import Library, assemble, working

POSTGRES = os.environ.get("WAYSIDE_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


async def _on_postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    name = f"wayside_{uuid.uuid4().hex}"
    if request.param == "sqlite":
        made = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    else:
        pytest.importorskip("asyncpg")
        try:
            await _on_postgres(f"CREATE DATABASE {name}")
        except OSError:
            pytest.skip(f"no PostgreSQL at {POSTGRES}")
        made = Database(POSTGRES.rsplit("/", 1)[0] + "/" + name)
    await made.migrate()
    yield made
    await made.close()
    if request.param == "postgresql":
        await _on_postgres(f"DROP DATABASE {name}")


def article(name: str, paragraphs: int = 3) -> bytes:
    body = "\n\n".join(f"Paragraph {n} of {name} says that {name} takes {n + 2} days. " * 12 for n in range(paragraphs))
    return f"# About {name}\n\n{body}\n".encode()


async def found(library: Library, words: str, tenant: str = "acme", *audiences: Audience) -> set[str]:
    """The documents that a search over the active index finds by their words."""
    async with library.generations.reading() as generation:
        vector = await embed_query(generation.embeddings, words)
        scope = Scope(tenant, audiences or (Audience.PUBLIC,))
        everything = await index_found(generation.index, HybridQuery(words, vector, scope, 1_000))
    return {passage.document_id for passage, scores in everything if scores.bm25 > 0}


async def ready(library: Library, document: Document) -> Document:
    await library.ingestion.wait_idle()
    return await library.documents.get("acme", document.id)


async def rows(database: Database) -> dict[str, int]:
    async with database.session() as session:
        tables: tuple[type[Base], ...] = (DocumentRow, ContentRow, JobRow)
        return {t.__tablename__: await session.scalar(select(func.count()).select_from(t)) or 0 for t in tables}


async def test_migrations_make_the_tables_that_the_code_declares(database: Database) -> None:
    for table in ("documents", "document_contents", "ingest_jobs", "index_generations"):
        declared = {column.name for column in Base.metadata.tables[table].columns}
        async with database.session() as session:
            result = await session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
        assert set(result.keys()) == declared


async def test_a_document_is_indexed_and_found(database: Database) -> None:
    async with working(assemble(database)) as library:
        added = await library.documents.add("acme", "tents.md", article("tents"))
        assert (added.title, added.source, added.revision) == ("About tents", "tents.md", 1)
        document = await ready(library, added)
        assert document.status is DocumentStatus.READY
        assert document.passages >= 2
        assert (document.done, document.total) == (document.passages, document.passages)
        assert await found(library, "tents") == {document.id}
        assert await library.documents.content("acme", document.id) == article("tents")


async def test_the_same_again_changes_nothing(database: Database) -> None:
    async with working(assemble(database)) as library:
        first = await ready(library, await library.documents.add("acme", "a.md", article("tents")))
        index = library.indexes["fingerprint-one"]
        replacements = index.replacements
        assert await library.documents.add("acme", "a.md", article("tents")) == first
        await library.ingestion.wait_idle()
        assert index.replacements == replacements


async def test_a_source_that_changed_keeps_its_id(database: Database) -> None:
    async with working(assemble(database)) as library:
        first = await ready(library, await library.documents.add("acme", "a.md", article("tents"), source="/docs/a"))
        second = await library.documents.add("acme", "b.md", article("boats"), source="/docs/a")
        assert (second.id, second.revision, second.filename) == (first.id, 2, "b.md")
        await library.ingestion.wait_idle()
        assert await found(library, "boats") == {first.id}
        assert await found(library, "tents") == set()
        assert (await rows(database))["documents"] == 1


async def test_an_audience_that_changed_is_enough_to_index_again(database: Database) -> None:
    async with working(assemble(database)) as library:
        document = await ready(library, await library.documents.add("acme", "a.md", article("tents")))
        await library.documents.add("acme", "a.md", article("tents"), audience=Audience.STAFF)
        await library.ingestion.wait_idle()
        assert await found(library, "tents") == set()
        assert await found(library, "tents", "acme", Audience.STAFF) == {document.id}


async def test_bad_files_leave_nothing_behind(database: Database) -> None:
    async with working(assemble(database)) as library:
        for content, name, error in (
            (b"", "a.md", UnreadableDocument),
            (b"\x7fELF\x00\x01", "a.txt", InvalidInput),
            (b"%PDF-1.7 nonsense", "a.pdf", UnreadableDocument),
            (b"GIF89a\x00", "a.gif", UnsupportedMedia),
            (article("x"), "", InvalidInput),
            (article("x"), "a\0.md", InvalidInput),
        ):
            with pytest.raises(error):
                await library.documents.add("acme", name, content)
        assert await rows(database) == {"documents": 0, "document_contents": 0, "ingest_jobs": 0}


async def test_another_tenant_finds_no_document(database: Database) -> None:
    async with working(assemble(database)) as library:
        document = await ready(library, await library.documents.add("acme", "a.md", article("tents")))
        other = await library.documents.add("globex", "a.md", article("boats"))
        await library.ingestion.wait_idle()
        assert other.id != document.id
        documents = library.documents
        for act in (documents.get, documents.content, documents.reindex, documents.delete):
            with pytest.raises(NotFound):
                await act("globex", document.id)
        assert [each.id for each in await library.documents.list("globex")] == [other.id]
        assert await found(library, "tents", "globex") == set()
        assert await found(library, "tents") == {document.id}


async def test_lists_go_on_where_they_ended(database: Database) -> None:
    async with working(assemble(database)) as library:
        for number in range(7):
            await library.documents.add("acme", f"{number}.md", article(f"n{number}", 1))
        seen: list[str] = []
        while page := await library.documents.list("acme", 3, seen[-1] if seen else None):
            seen += [each.id for each in page]
        assert len(seen) == 7 and seen == sorted(set(seen))
        with pytest.raises(InvalidInput):
            await library.documents.list("acme", 0)


async def test_deleting_leaves_nothing(database: Database) -> None:
    async with working(assemble(database)) as library:
        keep = await library.documents.add("acme", "keep.md", article("boats"))
        document = await ready(library, await library.documents.add("acme", "a.md", article("tents")))
        await library.documents.delete("acme", document.id)
        assert await found(library, "tents") == set()
        assert await library.indexes["fingerprint-one"].count_document("acme", document.id) == 0
        assert await rows(database) == {"documents": 1, "document_contents": 1, "ingest_jobs": 1}
        for act in (library.documents.get, library.documents.delete, library.documents.reindex):
            with pytest.raises(NotFound):
                await act("acme", document.id)
        assert await found(library, "boats") == {keep.id}
        again = await ready(library, await library.documents.add("acme", "a.md", article("tents")))
        assert again.id == document.id and await found(library, "tents") == {document.id}


async def test_deleted_while_being_indexed(database: Database) -> None:
    async with working(assemble(database, delay=0.05)) as library:
        documents = [await library.documents.add("acme", f"{n}.md", article(f"n{n}", 8)) for n in range(5)]
        await asyncio.sleep(0.03)
        await asyncio.gather(*(library.documents.delete("acme", each.id) for each in documents))
        await library.ingestion.wait_idle()
        assert await rows(database) == {"documents": 0, "document_contents": 0, "ingest_jobs": 0}
        assert await library.indexes["fingerprint-one"].count(Scope("acme", tuple(Audience))) == 0


async def test_replaced_while_being_indexed(database: Database) -> None:
    async with working(assemble(database, delay=0.05)) as library:
        for version in range(6):
            document = await library.documents.add("acme", "a.md", article(f"version{version}", 4))
            await asyncio.sleep(0.04)
        assert (await ready(library, document)).revision == 6
        assert await found(library, "version5") == {document.id}
        assert await found(library, "version4") == set()


async def test_a_delete_that_was_cut_short_is_completed(database: Database) -> None:
    async with working(assemble(database)) as first:
        document = await ready(first, await first.documents.add("acme", "a.md", article("tents")))
    async with database.session() as session:
        row = await session.get(DocumentRow, ("acme", document.id))
        assert row is not None
        row.status = DocumentStatus.DELETING.value
        await session.flush()
        await first.jobs.put(session, "acme", document.id, JobKind.DELETE)
    async with working(assemble(database, first.indexes)) as library:
        with pytest.raises(NotFound):
            await library.documents.get("acme", document.id)
        await library.ingestion.wait_idle()
        assert await rows(database) == {"documents": 0, "document_contents": 0, "ingest_jobs": 0}
        assert await found(library, "tents") == set()


async def test_a_document_that_cannot_be_read_any_more_fails_alone(database: Database) -> None:
    library = assemble(database)
    await library.generations.start("fingerprint-one", "one")
    bad = await library.documents.add("acme", "bad.md", article("tents"))
    good = await library.documents.add("acme", "good.md", article("boats"))
    async with database.session() as session:
        row = await session.get(ContentRow, ("acme", bad.id))
        assert row is not None
        row.content = b"%PDF-1.7 broken"
    async with working(library):
        await library.ingestion.wait_idle()
        failed = await library.documents.get("acme", bad.id)
        assert failed.status is DocumentStatus.FAILED and failed.error and "bad.md" in failed.error
        assert (await library.documents.get("acme", good.id)).status is DocumentStatus.READY
        again = await ready(library, await library.documents.add("acme", "bad.md", article("tents")))
        assert (again.status, again.error) == (DocumentStatus.READY, None)


async def test_progress_can_be_watched(database: Database) -> None:
    told: list[Progress] = []
    library = assemble(database, delay=0.02)
    library.ingestion = Ingestion(database, library.jobs, library.generations, on_progress=told.append)
    async with working(library):
        document = await library.documents.add("acme", "long.md", article("tents", 120))
        seen = set()
        while (now := await library.documents.get("acme", document.id)).status is not DocumentStatus.READY:
            seen.add((now.status, now.done, now.total))
            await asyncio.sleep(0.01)
    assert any(0 < done < total for _, done, total in seen)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1].done == told[-1].total == now.passages


async def test_small_documents_share_batches(database: Database) -> None:
    library = assemble(database)
    await library.generations.start("fingerprint-one", "one")
    for number in range(30):
        await library.documents.add("acme", f"{number}.md", article(f"n{number}", 1))
    async with working(library):
        await library.ingestion.wait_idle()
        batches = library.embeddings["fingerprint-one"].batches
    assert sum(batches) >= 60 and len(batches) <= 3, batches


async def test_two_workers_never_take_the_same_job(database: Database) -> None:
    one = assemble(database)
    await one.generations.start("fingerprint-one", "one")
    ids = {(await one.documents.add("acme", f"{n}.md", article(f"n{n}", 1))).id for n in range(20)}
    two = assemble(database, one.indexes)

    async def claim_all(library: Library) -> list[str]:
        claimed = []
        while jobs := await library.jobs.claim(3):
            claimed += [job.document_id for job in jobs]
        return claimed

    mine, theirs = await asyncio.gather(claim_all(one), claim_all(two))
    assert set(mine) | set(theirs) == ids and len(mine) + len(theirs) == 20


async def test_a_lease_that_ran_out_is_taken_over(database: Database) -> None:
    dead = assemble(database, lease=0.1)
    await dead.generations.start("fingerprint-one", "one")
    document = await dead.documents.add("acme", "a.md", article("tents"))
    assert len(await dead.jobs.claim()) == 1
    library = assemble(database, dead.indexes)
    library.ingestion = Ingestion(database, library.jobs, library.generations, sole=False)
    assert await library.jobs.claim() == []
    async with working(library):
        async with asyncio.timeout(10):
            assert (await ready(library, document)).status is DocumentStatus.READY


async def test_a_move_to_another_model_has_no_gap(database: Database) -> None:
    async with working(assemble(database)) as first:
        ids = {(await first.documents.add("acme", f"{n}.md", article(f"tents n{n}", 9))).id for n in range(12)}
        await first.ingestion.wait_idle()
    async with working(assemble(database, first.indexes, delay=0.1), "two") as library:
        assert library.generations.active.id == "fingerprint-one"
        new = (await library.documents.add("acme", "new.md", article("tents", 2))).id
        gone = sorted(ids)[3]
        await library.documents.delete("acme", gone)
        looks = 0
        while library.generations.building is not None:
            assert await found(library, "tents") - {new} == ids - {gone}
            looks += 1
            await asyncio.sleep(0.01)
        await library.ingestion.wait_idle()
        assert looks > 0
        assert library.generations.active.id == "fingerprint-two"
        assert await found(library, "tents") == ids - {gone} | {new}
        assert {each.status for each in await library.documents.list("acme")} == {DocumentStatus.READY}
    assert set(library.indexes) == {"fingerprint-two"}


async def test_an_interrupted_move_resumes(database: Database) -> None:
    async with working(assemble(database)) as first:
        for number in range(40):
            await first.documents.add("acme", f"{number}.md", article(f"tents n{number}", 20))
        await first.ingestion.wait_idle()
        replaced = first.indexes["fingerprint-one"].replacements
    async with working(assemble(database, first.indexes, delay=0.1), "two") as second:
        while second.indexes["fingerprint-two"].replacements < 5:
            await asyncio.sleep(0.005)
    assert second.generations.active.id == "fingerprint-one"
    async with working(assemble(database, first.indexes), "two") as third:
        await third.ingestion.wait_idle()
        assert third.generations.active.id == "fingerprint-two"
        index = third.indexes["fingerprint-two"]
        for each in await third.documents.list("acme"):
            assert await index.count_document("acme", each.id) == each.passages > 0
        assert third.indexes["fingerprint-two"].replacements < replaced + 20


async def test_a_move_that_is_called_off_leaves_the_old_index(database: Database) -> None:
    async with working(assemble(database)) as first:
        await first.documents.add("acme", "a.md", article("tents", 20))
        await first.ingestion.wait_idle()
    second = assemble(database, first.indexes)
    await second.generations.start("fingerprint-two", "two")
    await second.generations.close()
    async with working(assemble(database, first.indexes)) as third:
        await third.ingestion.wait_idle()
        assert third.generations.building is None and third.generations.active.id == "fingerprint-one"
        assert len(await found(third, "tents")) == 1
        assert set(third.indexes) == {"fingerprint-one"}
