import numpy as np
import pytest

from core.types import Passage
from retrieval.encode import TEXT, combine, distinct_texts, embed_query, passage_texts, unit_vectors
from tests.fakes.embeddings import FakeEmbeddings

PASSAGE = Passage("d1", "Returns", ("Help", "Money"), "Refunds take five days.", 0, 23, 0)


def test_a_passage_is_embedded_by_its_title_and_by_everything() -> None:
    assert passage_texts(PASSAGE) == ("Returns", "Returns\nHelp\nMoney\nRefunds take five days.")


def test_a_shared_title_is_embedded_once() -> None:
    second = Passage("d1", "Returns", (), "Within 30 days.", 24, 39, 1)
    assert distinct_texts([PASSAGE, second]) == [*passage_texts(PASSAGE), passage_texts(second)[1]]


def test_the_vector_lies_between_title_and_text_at_unit_length() -> None:
    title, whole = passage_texts(PASSAGE)
    embedded = dict(zip((title, whole), unit_vectors(FakeEmbeddings().embed_documents([title, whole])), strict=True))
    vector = combine(PASSAGE, embedded).vectors[TEXT]
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert float(vector @ embedded[title]) == pytest.approx(float(vector @ embedded[whole]), abs=1e-6)
    assert vector.dtype == np.float32


async def test_a_short_query_is_embedded_as_it_is() -> None:
    embeddings = FakeEmbeddings()
    vector = await embed_query(embeddings, "where is my parcel")
    assert vector == pytest.approx(embeddings.embed_query("where is my parcel"), abs=1e-6)


async def test_a_query_longer_than_the_model_reads_counts_to_its_end() -> None:
    embeddings = FakeEmbeddings()
    filler = "My parcel has not come yet and I would like to know why that is so. " * 30
    ends = [await embed_query(embeddings, filler + end) for end in ("Is there a zebra?", "Is there a walrus?")]
    assert embeddings.batches and max(embeddings.batches) > 1
    assert not np.allclose(ends[0], ends[1])
    assert np.linalg.norm(ends[0]) == pytest.approx(1.0, abs=1e-6)


async def test_a_long_query_without_a_sentence_is_embedded_whole() -> None:
    vector = await embed_query(FakeEmbeddings(), "\n" + "? " * 300)
    assert np.isfinite(vector).all()
