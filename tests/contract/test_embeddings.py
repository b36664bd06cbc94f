"""What embeddings promise, and that ours are those of sentence-transformers on torch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.modelstore import ModelStore
from retrieval.embed.bert_onnx import bert_onnx
from retrieval.embed.onnx import OnnxEmbeddings
from tests.contract.embedding_texts import TEXTS

# Made once by sentence-transformers 5 on torch 2.13 from the same safetensors: (texts, 384), unit length.
REFERENCE = np.load(Path(__file__).with_name("minilm_reference.npy"))


@pytest.fixture(scope="module")
def embeddings(model_store: ModelStore) -> Iterator[OnnxEmbeddings]:
    made = OnnxEmbeddings(model_store.path("all-minilm-l6-v2"), workers=2)
    yield made
    made.close()


def test_vectors_are_those_of_torch_whatever_the_length(embeddings: OnnxEmbeddings) -> None:
    cosines = np.sum(embeddings.embed(TEXTS) * REFERENCE, axis=1)
    told = dict(zip((text[:20] for text in TEXTS), cosines.tolist(), strict=True))
    assert cosines.min() >= 0.99999, told


def test_rows_are_of_unit_length_and_in_order(embeddings: OnnxEmbeddings) -> None:
    vectors = embeddings.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), embeddings.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embeddings.embed([text]) for text in TEXTS])
    assert np.sum(vectors * alone, axis=1).min() > 0.999


def test_no_texts_make_no_rows(embeddings: OnnxEmbeddings) -> None:
    assert embeddings.embed([]).shape == (0, embeddings.dimensions)
    assert embeddings.embed_documents([]) == []


def test_what_lies_beyond_the_limit_does_not_count(embeddings: OnnxEmbeddings) -> None:
    long = "tent " * 300
    np.testing.assert_array_equal(embeddings.embed([long]), embeddings.embed([long + "boots " * 1_000_000]))
    assert embeddings.count_tokens([long]) == 256
    assert embeddings.count_tokens(["tent", ""]) == 5


@pytest.mark.parametrize("texts", [["a\ud800b"], ["fine", "\udfff"]])
def test_what_is_no_unicode_is_refused(embeddings: OnnxEmbeddings, texts: list[str]) -> None:
    with pytest.raises(InvalidInput, match="Unicode"):
        embeddings.embed(texts)


async def test_every_door_gives_the_same(embeddings: OnnxEmbeddings) -> None:
    texts = ["a tent", "a boot"]
    expected = embeddings.embed(texts)
    for rows in (
        embeddings.embed_documents(texts),
        await embeddings.aembed_documents(texts),
        await embeddings.aembed(texts),
        [embeddings.embed_query(texts[0]), await embeddings.aembed_query(texts[1])],
    ):
        assert np.sum(np.asarray(rows) * expected, axis=1).min() > 0.999


async def test_the_event_loop_goes_on_meanwhile(embeddings: OnnxEmbeddings) -> None:
    task = asyncio.create_task(embeddings.aembed(TEXTS * 4))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 10, "the loop stood still while the texts were embedded"


async def test_many_callers_at_once(embeddings: OnnxEmbeddings) -> None:
    batches = [[f"text {i} {j}" for j in range(i)] for i in range(12)]
    for texts, vectors in zip(batches, await asyncio.gather(*map(embeddings.aembed, batches)), strict=True):
        assert vectors.shape == (len(texts), embeddings.dimensions)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_other_architectures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(InvalidInput, match="gpt2"):
        bert_onnx(tmp_path)


def test_the_fingerprint_tells_models_and_precisions_apart(embeddings: OnnxEmbeddings) -> None:
    assert "f32" in embeddings.fingerprint
    assert "53aa5117" in embeddings.fingerprint


def test_a_graph_refers_to_the_weights_and_holds_none(model_store: ModelStore) -> None:
    assert len(bert_onnx(model_store.path("all-minilm-l6-v2")).SerializeToString()) < 100_000


async def test_a_query_that_was_asked_before_is_not_computed_again(embeddings: OnnxEmbeddings) -> None:
    first = await embeddings.aembed_query("where is my boot")
    await embeddings.aembed_query("where is my tent")
    assert await embeddings.aembed_query("where is my boot") is first
    assert first == embeddings.embed_query("where is my boot")
