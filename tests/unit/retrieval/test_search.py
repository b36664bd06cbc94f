from collections.abc import Sequence

import pytest

from core.errors import InvalidInput
from core.ports import PointId
from core.types import Audience, Findings, Passage, Scope
from retrieval.encode import combine, distinct_texts, unit_vectors
from retrieval.migrate import Generation
from retrieval.search import HybridSearch
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.index import FakeIndex
from tests.fakes.library import LAYOUT, StillGeneration

SCOPE = Scope("acme", (Audience.PUBLIC,))
TEXTS = {
    "returns": "You can return a tent within thirty days and get your money back.",
    "delivery": "A parcel to an island takes five days by boat.",
    "stores": "The shop in the harbour opens at nine.",
}


async def searching(
    texts: dict[str, str] = TEXTS, *, index: FakeIndex | None = None
) -> tuple[HybridSearch, FakeEmbeddings]:
    embeddings, index = FakeEmbeddings(LAYOUT.size), index or FakeIndex(LAYOUT)
    for document, text in texts.items():
        passage = Passage(document, document.title(), (), text, 0, len(text), 0)
        words = distinct_texts([passage])
        embedded = dict(zip(words, unit_vectors(embeddings.embed_documents(words)), strict=True))
        await index.replace("acme", document, Audience.PUBLIC, [combine(passage, embedded)])
    embeddings.batches.clear()
    return HybridSearch(StillGeneration(Generation("one", embeddings, index))), embeddings


def documents(findings: Findings) -> list[str]:
    return [hit.passage.document_id for hit in findings.hits]


async def test_the_best_passage_comes_first() -> None:
    search, _ = await searching()
    assert documents(await search.search("when does the shop in the harbour open", SCOPE))[0] == "stores"
    assert documents(await search.search("how long does a parcel take by boat", SCOPE))[0] == "delivery"


async def test_scores_fall_and_limit_cuts() -> None:
    search, _ = await searching()
    findings = await search.search("return a tent", SCOPE, limit=2)
    assert len(findings.hits) == 2
    assert findings.hits[0].score >= findings.hits[1].score


async def test_equal_passages_are_ordered_by_identity_every_time() -> None:
    search, _ = await searching(dict.fromkeys("edcba", "the same words"))
    for _ in range(3):
        findings = await search.search("same words", SCOPE)
        assert len({hit.score for hit in findings.hits}) > 1  # the titles differ
    search, _ = await searching(dict.fromkeys(("a", "A"), "the same words"))
    assert documents(await search.search("same words", SCOPE)) == ["A", "a"]


class Replaced(FakeIndex):
    """An index whose one document is replaced between the first look at it and its reading."""

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        if self.replacements == 1:
            ((_, (audience, items)),) = self._documents.items()
            await self.replace("acme", "returns", audience, [*items.values()])
        return await super().passages(scope, points)


async def test_a_document_replaced_amid_a_search_is_found_all_the_same() -> None:
    search, _ = await searching({"returns": TEXTS["returns"]}, index=Replaced(LAYOUT))
    assert documents(await search.search("return a tent", SCOPE)) == ["returns"]


async def test_nothing_found_is_not_answerable() -> None:
    search, _ = await searching()
    assert await search.search("tent", Scope("globex", (Audience.PUBLIC,))) == Findings((), 0.0)


async def test_a_question_that_the_documents_answer_is_more_answerable_than_another() -> None:
    search, _ = await searching()
    known = await search.search("return a tent within thirty days", SCOPE)
    foreign = await search.search("quantum chromodynamics lattice", SCOPE)
    assert 0.0 <= foreign.answerability < 0.5 < known.answerability <= 1.0


@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
async def test_an_empty_query_is_refused(query: str) -> None:
    search, _ = await searching()
    with pytest.raises(InvalidInput) as caught:
        await search.search(query, SCOPE)
    assert caught.value.param == "query"


async def test_a_limit_below_one_is_refused() -> None:
    search, _ = await searching()
    with pytest.raises(InvalidInput) as caught:
        await search.search("tent", SCOPE, limit=0)
    assert caught.value.param == "limit"


async def test_a_query_of_stop_words_is_answered() -> None:
    search, _ = await searching()
    assert len((await search.search("what is it", SCOPE)).hits) == 3
