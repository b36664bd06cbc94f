from __future__ import annotations

from agents.grounding import Evidence
from agents.relevance import SHORTLIST, Relevance
from core.types import Hit
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.search import passage


async def test_meaning_decides_where_the_words_do_not() -> None:
    text = "Parcels leave at noon. The parcel desk is closed on Sunday. Noon noon noon."
    found = [Evidence(Hit(passage(text), 1.0))]
    ranked = await Relevance(FakeEmbeddings()).rank("is the desk closed on a sunday afternoon", found)
    assert found[0].text(ranked[0].sentence) == "The parcel desk is closed on Sunday."


async def test_words_that_decide_alone_need_no_embedding() -> None:
    embeddings = FakeEmbeddings()
    found = [Evidence(Hit(passage("Parcels leave at noon. The desk closes on Sunday."), 1.0))]
    ranked = await Relevance(embeddings).rank("when does the desk close on sunday", found)
    assert found[0].text(ranked[0].sentence) == "The desk closes on Sunday."
    assert embeddings.batches == []


async def test_what_was_embedded_is_remembered() -> None:
    embeddings = FakeEmbeddings()
    relevance = Relevance(embeddings)
    found = [Evidence(Hit(passage("Parcels leave at noon. Desks close at six."), 1.0))]
    first = await relevance.rank("when do parcels depart", found)
    assert await relevance.rank("when do parcels depart", found) == first
    assert embeddings.batches == [2]


async def test_only_a_short_list_is_embedded() -> None:
    embeddings = FakeEmbeddings()
    text = " ".join(f"Shelf {n} holds parcels for street {n}." for n in range(40))
    ranked = await Relevance(embeddings).rank("which shelf holds my parcel", [Evidence(Hit(passage(text), 1.0))])
    assert len(ranked) == SHORTLIST
    assert sum(embeddings.batches) == SHORTLIST


async def test_nothing_found_is_nothing_to_rank() -> None:
    assert await Relevance(FakeEmbeddings()).rank("anything", []) == []
