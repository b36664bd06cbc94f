"""A knowledge snapshot, made by the real engine, packed, and opened again as a device does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import NotFound
from core.ports import HybridQuery, IndexedPassage
from core.types import Audience, Passage, Scope
from edge.archive import pack, unpack
from edge.chunks import AVERAGES, chunk_file, missing_bytes
from edge.manifest import Kind
from retrieval.documents import Document
from retrieval.index import PassageStore
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.migrate import Generation
from retrieval.snapshot import read_card, write_snapshot
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.holdings import MemoryDocuments
from tests.fakes.index import found

LAYOUT = Layout(("text",), 16)
PUBLIC, STAFF = Audience.PUBLIC, Audience.STAFF
EXPIRES = datetime(2026, 3, 8, tzinfo=UTC)
# What others must not find in the file.
SECRETS = ("xylophone", "bassoon", "contrabass")


class OnlyGeneration:
    """The index, as the generations hand it out."""

    def __init__(self, index: PassageStore) -> None:
        self._index = index

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        yield Generation("model-1", FakeEmbeddings(16), self._index)


def passages(document: Document, texts: Sequence[str]) -> list[IndexedPassage]:
    made = []
    for position, text in enumerate(texts):
        vector = np.random.default_rng(len(text) + position).standard_normal(16).astype(np.float32)
        passage = Passage(document.id, document.title, (), text, 0, len(text), position)
        made.append(IndexedPassage(passage, {"text": vector / np.linalg.norm(vector)}))
    return made


class Library:
    """Documents, and their passages in an index."""

    def __init__(self, index: PassageStore) -> None:
        self.documents = MemoryDocuments()
        self.index = index

    async def add(self, tenant: str, name: str, audience: Audience, *texts: str) -> None:
        document = await self.documents.add(tenant, name, b"x", audience=audience)
        await self.index.replace(tenant, document.id, audience, passages(document, texts))

    async def snapshot(self, folder: Path, *audiences: Audience) -> bytes:
        """Write the snapshot into `folder` and return the bytes of its archive."""
        await write_snapshot(folder, Scope("acme", audiences), EXPIRES, self.documents, OnlyGeneration(self.index))
        pack(folder, folder.with_suffix(".zip"))
        return folder.with_suffix(".zip").read_bytes()


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Library]:
    index = await EdgeIndex.open(tmp_path / "index", LAYOUT)
    made = Library(index)
    await made.add("acme", "returns", PUBLIC, "A tent can be returned.", "A stove cannot.")
    await made.add("acme", "margins", STAFF, f"Our margin on the {SECRETS[0]} is {SECRETS[1]}.")
    await made.add("rival", "returns", PUBLIC, f"The rival returns a {SECRETS[2]}.")
    yield made
    await index.close()


async def texts(folder: Path, *audiences: Audience) -> set[str]:
    index = await EdgeIndex.open(folder, LAYOUT)
    query = HybridQuery("tent stove margin returns", np.eye(16, dtype=np.float32)[0], Scope("acme", audiences), 50)
    result = {passage.text for passage, _ in await found(index, query)}
    await index.close()
    return result


async def test_a_snapshot_is_opened_by_the_index_and_holds_what_its_audience_may_see(
    library: Library, tmp_path: Path
) -> None:
    content = await library.snapshot(tmp_path / "public", PUBLIC)
    unpack(tmp_path / "public.zip", tmp_path / "device")
    assert await texts(tmp_path / "device", PUBLIC, STAFF) == {"A tent can be returned.", "A stove cannot."}
    card = read_card(tmp_path / "device")
    assert (card.tenant, card.audiences, card.embedding) == ("acme", (PUBLIC,), "model-1")
    assert (card.documents, card.passages, card.vectors, card.dimensions) == (1, 2, ("text",), 16)
    assert card.expires == EXPIRES
    assert len(content) < 2**20, "what the engine sets up and does not fill is not shipped"


async def test_nothing_of_another_audience_or_company_is_in_the_bytes(library: Library, tmp_path: Path) -> None:
    public = await library.snapshot(tmp_path / "public", PUBLIC)
    staff = await library.snapshot(tmp_path / "staff", PUBLIC, STAFF)
    assert b"A tent can be returned." in public
    for secret in SECRETS:
        assert secret.encode() not in public
    # The test can fail: what the staff may see is in their file, readable as it is.
    assert SECRETS[0].encode() in staff
    assert SECRETS[2].encode() not in staff


async def test_what_is_nowhere_to_be_seen_makes_no_snapshot(library: Library, tmp_path: Path) -> None:
    nobody = Scope("nobody", (PUBLIC, STAFF))
    with pytest.raises(NotFound, match="no document"):
        await write_snapshot(tmp_path / "none", nobody, EXPIRES, library.documents, OnlyGeneration(library.index))
    assert not (tmp_path / "none").exists()
    with pytest.raises(NotFound):
        read_card(tmp_path / "none")


async def test_a_document_that_became_the_staffs_is_not_shipped_before_the_index_knows(
    library: Library, tmp_path: Path
) -> None:
    """Database and index are asked both, and the stricter one wins."""
    await library.documents.add("acme", "returns", b"x", audience=STAFF)
    with pytest.raises(NotFound):
        await library.snapshot(tmp_path / "public", PUBLIC)
    await library.documents.add("acme", "returns", b"x", audience=PUBLIC)
    await library.documents.add("acme", "margins", b"x", audience=PUBLIC)
    content = await library.snapshot(tmp_path / "public", PUBLIC)
    assert SECRETS[0].encode() not in content


async def test_a_changed_document_makes_a_small_delta(library: Library, tmp_path: Path) -> None:
    for number in range(40):
        lines = [f"Article {number} says {word} about things of number {number * 7}." * 8 for word in "abcdefgh"]
        await library.add("acme", f"article {number}", PUBLIC, *lines)
    await library.snapshot(tmp_path / "one", PUBLIC)
    await library.add("acme", "article 30", PUBLIC, "This article says something else now.")
    await library.snapshot(tmp_path / "two", PUBLIC)
    average = AVERAGES[Kind.SNAPSHOT]
    one, two = (chunk_file(tmp_path / f"{name}.zip", average) for name in ("one", "two"))
    held = frozenset(chunk.sha256 for chunk in one)
    size = sum(chunk.size for chunk in one)
    # Of so little, much is the engine's own; in any other order of the points everything would be new.
    assert missing_bytes(two, held) < 0.8 * size
