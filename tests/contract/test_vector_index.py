"""One suite for every `VectorIndex`: the fake, Qdrant Edge, Qdrant's client in memory, and a server if there is one."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from core.errors import InvalidInput
from core.ports import HybridQuery, IndexedPassage
from core.types import Audience, Passage, Scope
from retrieval.index import PassageStore
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.index.server import ServerIndex
from tests.fakes.index import FakeIndex, found

LAYOUT = Layout(("text", "title"), 16)
PUBLIC, STAFF = Audience.PUBLIC, Audience.STAFF
SERVER = os.environ.get("WAYSIDE_TEST_QDRANT_URL")

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]


@pytest.fixture(
    params=[
        "fake",
        "edge",
        "memory",
        pytest.param("server", marks=pytest.mark.skipif(not SERVER, reason="WAYSIDE_TEST_QDRANT_URL is not set")),
    ]
)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PassageStore]:
    store: PassageStore
    if request.param == "fake":
        store = FakeIndex(LAYOUT)
    elif request.param == "edge":
        store = await EdgeIndex.open(tmp_path / "index", LAYOUT)
    else:
        client = AsyncQdrantClient(":memory:") if request.param == "memory" else AsyncQdrantClient(SERVER)
        store = await ServerIndex.open(client, f"contract-{uuid.uuid4().hex}", LAYOUT)
    yield store
    await store.close()


def unit(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).standard_normal(16).astype(np.float32)
    return vector / np.linalg.norm(vector)


def passages(document: str, *texts: str, title: str = "Returns", seed: int = 0) -> list[IndexedPassage]:
    return [
        IndexedPassage(
            Passage(document, title, ("Help", "Money"), text, 10 * position, 10 * position + len(text), position),
            {"text": unit(seed + position), "title": unit(seed)},
        )
        for position, text in enumerate(texts)
    ]


def asking(
    text: str = "", *, tenant: str = "acme", seed: int = 0, audiences: tuple[Audience, ...] = (PUBLIC,)
) -> HybridQuery:
    return HybridQuery(text, unit(seed), Scope(tenant, audiences), 50)


async def texts(index: PassageStore, query: HybridQuery) -> set[str]:
    return {passage.text for passage, _ in await found(index, query)}


async def test_finds_a_passage_whole_with_every_score(index: PassageStore) -> None:
    stored = passages("d1", "refunds take five days", "parcels take two days")
    await index.replace("acme", "d1", PUBLIC, stored)
    scores = dict(await found(index, asking("refunds")))
    assert set(scores) == {each.passage for each in stored}
    first, second = (scores[each.passage] for each in stored)
    assert first.bm25 > 0.0 and second.bm25 == 0.0
    assert first.cosines["text"] == pytest.approx(1.0, abs=1e-5)
    assert second.cosines["text"] == pytest.approx(float(unit(0) @ unit(1)), abs=1e-5)
    assert second.cosines["title"] == pytest.approx(1.0, abs=1e-5)


async def test_title_and_headings_are_words_of_the_passage(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "five days", title="Warranty"))
    for word in ("warranty", "money", "days"):
        assert (await index.search(asking(word)))[0].bm25 > 0.0, word


async def test_replace_leaves_nothing_of_the_old_content(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "old one", "old two", "old three"))
    await index.replace("acme", "d1", PUBLIC, passages("d1", "new one", "new two", seed=5))
    assert await texts(index, asking("old new")) == {"new one", "new two"}
    assert await index.count_document("acme", "d1") == 2


async def test_replacing_twice_with_the_same_is_the_same_as_once(index: PassageStore) -> None:
    for _ in range(3):
        await index.replace("acme", "d1", PUBLIC, passages("d1", "one", "two"))
    assert await index.count(Scope("acme", (PUBLIC,))) == 2
    assert len(await index.search(asking("one two"))) == 2


async def test_replacing_with_nothing_empties_the_document(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "one"))
    await index.replace("acme", "d1", PUBLIC, [])
    assert await index.count_document("acme", "d1") == 0


async def test_documents_replaced_at_the_same_time_are_all_there(index: PassageStore) -> None:
    names = [f"d{number}" for number in range(20)]
    await asyncio.gather(*(index.replace("acme", each, PUBLIC, passages(each, "a", "b", "c")) for each in names))
    assert await index.count(Scope("acme", (PUBLIC,))) == 60


async def test_a_search_never_sees_part_of_a_document(index: PassageStore) -> None:
    versions = [passages("d1", *(f"version{number} part{part}" for part in range(6))) for number in range(8)]
    await index.replace("acme", "d1", PUBLIC, versions[0])
    whole = [{each.passage.text for each in version} for version in versions]

    async def write() -> None:
        for version in versions:
            await index.replace("acme", "d1", PUBLIC, version)

    writing = asyncio.create_task(write())
    looks = 0
    while not writing.done():
        seen = await texts(index, asking("part1"))
        assert seen in whole or seen == set(), seen
        looks += 1
        await asyncio.sleep(0)
    await writing
    assert looks > 0
    assert await texts(index, asking("part1")) == whole[-1]


async def test_another_tenant_finds_counts_and_removes_nothing(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "the secret of acme"))
    await index.replace("globex", "d1", PUBLIC, passages("d1", "the secret of globex"))
    for tenant in ("globe", "globex ", "GLOBEX", "acme/public", "", "*", "acme/public\0", "initech"):
        assert await index.search(asking("secret", tenant=tenant)) == [], tenant
        assert await index.count(Scope(tenant, (PUBLIC, STAFF))) == 0
        await index.remove(tenant, "d1")
    assert await texts(index, asking("secret")) == {"the secret of acme"}
    await index.remove("acme", "d1")
    assert await texts(index, asking("secret")) == set()
    assert await texts(index, asking("secret", tenant="globex")) == {"the secret of globex"}


async def test_a_tenant_named_like_a_path_stays_apart(index: PassageStore) -> None:
    await index.replace("a/b", "c", PUBLIC, passages("c", "of a/b"))
    await index.replace("a", "b/c", STAFF, passages("b/c", "of a"))
    assert await texts(index, asking("of", tenant="a", audiences=(PUBLIC, STAFF))) == {"of a"}
    assert await index.count_document("a", "b/c") == 1
    await index.remove("a", "b/c")
    assert await texts(index, asking("of", tenant="a/b")) == {"of a/b"}


async def test_an_audience_sees_only_its_own(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "for all"))
    await index.replace("acme", "d2", STAFF, passages("d2", "for staff"))
    assert await texts(index, asking("for")) == {"for all"}
    assert await texts(index, asking("for", audiences=(STAFF,))) == {"for staff"}
    assert await texts(index, asking("for", audiences=(PUBLIC, STAFF))) == {"for all", "for staff"}
    assert await texts(index, asking("for", audiences=())) == set()
    assert await index.count(Scope("acme", ())) == 0


async def test_a_document_that_changes_its_audience_leaves_the_old_one(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "price list"))
    await index.replace("acme", "d1", STAFF, passages("d1", "price list"))
    assert await texts(index, asking("price")) == set()
    assert await texts(index, asking("price", audiences=(STAFF,))) == {"price list"}


async def test_a_removed_document_cannot_be_found(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "unique zyzzyva"))
    await index.replace("acme", "d2", PUBLIC, passages("d2", "other"))
    await index.remove("acme", "d1")
    await index.remove("acme", "d1")
    await index.remove("acme", "never there")
    assert await texts(index, asking("unique zyzzyva")) == {"other"}
    assert await index.count_document("acme", "d1") == 0


async def test_bad_vectors_and_limits_are_refused(index: PassageStore) -> None:
    def with_vectors(**vectors: np.ndarray[tuple[int], np.dtype[np.float32]]) -> IndexedPassage:
        return IndexedPassage(passages("d1", "text")[0].passage, vectors)

    with pytest.raises(InvalidInput, match=r"shape \(4,\)"):
        await index.replace("acme", "d1", PUBLIC, [with_vectors(text=unit(0)[:4], title=unit(0))])
    with pytest.raises(InvalidInput, match="vectors are"):
        await index.replace("acme", "d1", PUBLIC, [with_vectors(text=unit(0))])
    with pytest.raises(InvalidInput, match="finite"):
        await index.replace("acme", "d1", PUBLIC, [with_vectors(text=unit(0) * np.nan, title=unit(0))])
    with pytest.raises(InvalidInput, match="d2"):
        await index.replace("acme", "d2", PUBLIC, passages("d1", "text"))
    with pytest.raises(InvalidInput, match="vector"):
        await index.search(HybridQuery("text", unit(0)[:3], Scope("acme", (PUBLIC,)), 5))
    with pytest.raises(InvalidInput, match="limit"):
        await index.search(HybridQuery("text", unit(0), Scope("acme", (PUBLIC,)), 0))
    assert await index.count_document("acme", "d1") == 0


async def test_any_writing_system_comes_back_as_it_was(index: PassageStore) -> None:
    odd = ["Größe und Maß", "納期は三日です", "العودة مجانا", "🚚 in 2 days", 'tab\tquote" back\\ {json}', "e\u0301"]
    stored = passages("d/ü 1", *odd, title="Übersicht")
    await index.replace("ténant", "d/ü 1", PUBLIC, stored)
    scores = dict(await found(index, asking("Größe", tenant="ténant")))
    assert set(scores) == {each.passage for each in stored}
    assert max(scores, key=lambda passage: scores[passage].bm25).text == odd[0]


async def test_a_query_without_words_is_answered_by_the_dense_halves(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "one"))
    for text in ("", "the of and", "?!"):
        (candidate,) = await index.search(asking(text))
        assert candidate.bm25 == 0.0


async def test_an_empty_index_finds_nothing(index: PassageStore) -> None:
    assert await index.search(asking("anything")) == []
    assert await index.count(Scope("acme", (PUBLIC,))) == 0


async def test_limit_counts_candidates_of_each_half(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", *(f"word{number}" for number in range(30))))
    best = await texts(index, HybridQuery("word7", unit(3), Scope("acme", (PUBLIC,)), 1))
    assert best >= {"word3", "word7"}
    assert len(best) <= 3


async def test_a_passage_is_read_within_the_scope_only(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "for all"))
    await index.replace("acme", "d2", STAFF, passages("d2", "for staff"))
    await index.replace("globex", "d1", PUBLIC, passages("d1", "of globex"))
    points = [each.point for each in await index.search(asking("for", audiences=(PUBLIC, STAFF)))]

    async def read(tenant: str, *audiences: Audience) -> set[str]:
        return {each.text for each in (await index.passages(Scope(tenant, audiences), points)).values()}

    assert await read("acme", PUBLIC, STAFF) == {"for all", "for staff"}
    assert await read("acme", PUBLIC) == {"for all"}
    assert await read("acme") == set()
    assert await read("globex", PUBLIC, STAFF) == set()
    assert await index.passages(Scope("acme", (PUBLIC,)), []) == {}


async def test_a_point_of_a_former_revision_is_gone(index: PassageStore) -> None:
    await index.replace("acme", "d1", PUBLIC, passages("d1", "old"))
    points = [each.point for each in await index.search(asking("old"))]
    await index.replace("acme", "d1", PUBLIC, passages("d1", "new"))
    assert await index.passages(Scope("acme", (PUBLIC,)), points) == {}


async def test_a_thousand_passages_score_as_in_the_fake(index: PassageStore) -> None:
    random = np.random.default_rng(7)
    fake = FakeIndex(LAYOUT)
    for number in range(100):
        words = [" ".join(f"w{each}" for each in random.zipf(1.3, 30) % 500) for _ in range(10)]
        stored = passages(f"d{number}", *words, title=f"w{number}", seed=1_000 + 10 * number)
        for each in (index, fake):
            await each.replace("acme", f"d{number}", PUBLIC if number % 3 else STAFF, stored)
    for seed in range(10):
        query = asking(" ".join(f"w{each}" for each in random.zipf(1.3, 5) % 500), seed=seed)
        ours, theirs = dict(await found(index, query)), dict(await found(fake, query))
        # The graph is approximate, and equal scores at the edge of a half may fall either way.
        assert len(ours.keys() & theirs.keys()) >= 0.9 * len(theirs), (len(ours), len(theirs))
        for key in ours.keys() & theirs.keys():
            if ours[key].bm25 and theirs[key].bm25:
                assert ours[key].bm25 == pytest.approx(theirs[key].bm25, abs=1e-3)
            assert ours[key].cosines == pytest.approx(theirs[key].cosines, abs=1e-4)


async def test_exports_a_document_whole_and_only_to_its_audience(index: PassageStore) -> None:
    staff, texts_ = passages("d1", "one", "two", "three"), ("one", "two", "three")
    await index.replace("acme", "d1", STAFF, staff)
    await index.replace("rival", "d1", PUBLIC, passages("d1", "theirs", seed=50))
    exported = await index.export(Scope("acme", (PUBLIC, STAFF)), "d1")
    assert tuple(each.passage.text for each in exported) == texts_
    assert [each.passage for each in exported] == [each.passage for each in staff]
    for found_, given in zip(exported, staff, strict=True):
        for name in LAYOUT.names:
            np.testing.assert_allclose(found_.vectors[name], given.vectors[name], atol=1e-6)
    assert await index.export(Scope("acme", (PUBLIC,)), "d1") == []
    assert await index.export(Scope("acme", ()), "d1") == []
    assert await index.export(Scope("acme", (PUBLIC, STAFF)), "d2") == []
