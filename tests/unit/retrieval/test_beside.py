from collections.abc import Sequence

import pytest

from core.ports import HybridQuery
from core.types import ATTACHED, Audience, Beside, Findings, Passage, Scope
from retrieval.beside import Attached, lexical
from retrieval.bm25 import query_terms
from retrieval.encode import combine, distinct_texts, embed_query, unit_vectors
from retrieval.migrate import Generation
from retrieval.search import HybridSearch
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.index import FakeIndex, found
from tests.fakes.library import LAYOUT, StillGeneration

SCOPE = Scope("acme", (Audience.PUBLIC,))
TEXTS = {
    "returns": "You can return a tent within thirty days and get your money back.",
    "delivery": "A parcel to an island takes five days by boat.",
    "stores": "The shop in the harbour opens at nine.",
}
QUESTION = "how many days does a parcel take by boat"


def passage(text: str, document: str, position: int = 0) -> Passage:
    return Passage(document, document, (), text, 0, len(text), position)


async def generation(texts: dict[str, str]) -> Generation:
    embeddings, index = FakeEmbeddings(LAYOUT.size), FakeIndex(LAYOUT)
    for document, text in texts.items():
        one = passage(text, document)
        words = distinct_texts([one])
        embedded = dict(zip(words, unit_vectors(embeddings.embed_documents(words)), strict=True))
        await index.replace("acme", document, Audience.PUBLIC, [combine(one, embedded)])
    embeddings.batches.clear()
    return Generation("one", embeddings, index)


async def search(texts: dict[str, str], query: str, beside: Beside) -> Findings:
    return await HybridSearch(StillGeneration(await generation(texts))).search(query, SCOPE, 10, beside)


def beside(*texts: str, prior: float = 0.0) -> Beside:
    return Beside(tuple(passage(text, ATTACHED + "a", at) for at, text in enumerate(texts)), prior)


def documents(findings: Findings) -> list[str]:
    return [hit.passage.document_id for hit in findings.hits]


async def test_bm25_beside_is_that_of_the_index() -> None:
    """What the index says of its own passages is what is said of the same passages beside it."""
    texts = {**TEXTS, **{f"d{n}": f"Boat number {n} takes {n} parcels and a tent." for n in range(8)}}
    made = await generation(texts)
    query = HybridQuery(QUESTION, await embed_query(made.embeddings, QUESTION), SCOPE, 50)
    scored = [(each, candidate.bm25) for each, candidate in await found(made.index, query)]
    terms = query_terms(QUESTION)[0]
    again = lexical(terms, scored, [each for each, _ in scored], of=len(texts), asked=50)
    assert again == pytest.approx([score for _, score in scored], abs=1e-3)


def test_a_word_that_the_index_lacks_is_rare_unless_it_was_cut_off() -> None:
    terms = query_terms("harbour zebra")[0]
    known = [(passage("The harbour opens at nine.", "stores"), 2.0)]
    asked_for = [passage("A zebra.", "a"), passage("The harbour.", "b")]
    rare, told = lexical(terms, known, asked_for, of=5, asked=50)
    assert rare > 2 * told > 0
    cut_off, _ = lexical(terms, known, asked_for, of=5, asked=1)
    assert cut_off < rare
    assert list(lexical([], known, asked_for, of=5, asked=50)) == [0.0, 0.0]
    assert lexical(terms, [], asked_for, of=0, asked=50)[0] > 0


async def test_both_stand_in_one_order() -> None:
    findings = await search(TEXTS, "does the zebra sleep at night", beside("The zebra sleeps at night."))
    assert documents(findings)[0] == ATTACHED + "a" and set(TEXTS) & set(documents(findings))
    assert findings.answerability > 0.5
    assert documents(await search(TEXTS, QUESTION, beside("The zebra sleeps at night.")))[0] == "delivery"


async def test_what_is_likelier_meant_scores_higher() -> None:
    scores = []
    for prior in (0.0, 0.3):
        hits = (await search(TEXTS, QUESTION, beside("A train takes an hour.", prior=prior))).hits
        scores.append(next(hit.score for hit in hits if hit.passage.document_id.startswith(ATTACHED)))
    assert scores[1] == pytest.approx(scores[0] + 0.3 * (1 - scores[0]))


async def test_where_there_is_no_index_yet_the_file_is_found() -> None:
    findings = await search({}, "does the zebra sleep at night", beside("The zebra sleeps at night."))
    assert documents(findings) == [ATTACHED + "a"] and findings.answerability > 0.5


async def test_nothing_beside_is_nothing_else() -> None:
    looking = HybridSearch(StillGeneration(await generation(TEXTS)))
    assert await looking.search(QUESTION, SCOPE, 10, Beside(())) == await looking.search(QUESTION, SCOPE, 10)


async def test_vectors_are_remembered_by_tenant_and_forgotten_in_turn() -> None:
    made = await generation({})
    assert isinstance(made.embeddings, FakeEmbeddings)
    known = Attached(remembered=3)

    async def batches(tenant: str, passages: Sequence[Passage]) -> int:
        before = len(made.embeddings.batches)  # type: ignore[attr-defined]
        rows = await known.vectors(made, tenant, passages)
        assert len(rows) == len(passages)
        return len(made.embeddings.batches) - before  # type: ignore[attr-defined]

    first = [passage("one", "a"), passage("two", "a", 1)]
    assert await batches("acme", first) == 1
    assert await batches("acme", first) == 0
    assert await batches("rival", first) == 1
    assert await batches("acme", first) == 1, "only three rows are remembered"
    assert await batches("acme", [*first, passage("three", "b")]) == 1
