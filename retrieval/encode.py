"""What is embedded of a passage and of a query, and the one vector that comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from core.ports import IndexedPassage
from core.sentences import sentences
from core.types import Passage
from retrieval.pieces import estimate

if TYPE_CHECKING:
    from core.types import Vector

# The name of the one dense vector of a passage.
TEXT = "text"
# all-MiniLM-L6-v2 reads 256 word pieces, two of which are its own.
_WINDOW_PIECES = 254


def passage_texts(passage: Passage) -> tuple[str, str]:
    """The two texts that a passage's vector is made of: its title, and everything."""
    return passage.title, "\n".join((passage.title, *passage.headings, passage.text))


def distinct_texts(passages: Iterable[Passage]) -> list[str]:
    """Every text to embed for these passages, each once: a document's passages share their title."""
    return list(dict.fromkeys(text for passage in passages for text in passage_texts(passage)))


def combine(passage: Passage, embedded: dict[str, Vector]) -> IndexedPassage:
    """The passage with its vector: the sum of the title's direction and the whole text's, at unit length.

    `embedded` has the unit vectors of its `passage_texts`.
    """
    title, whole = passage_texts(passage)
    return IndexedPassage(passage, {TEXT: _unit(embedded[title] + embedded[whole])})


async def embed_query(embeddings: Embeddings, text: str) -> Vector:
    """The unit vector of a query. One longer than the model reads is the mean of its windows of sentences."""
    if estimate(text) <= _WINDOW_PIECES:
        return _unit(np.asarray(await embeddings.aembed_query(text), dtype=np.float32))
    vectors = np.asarray(await embeddings.aembed_documents(list(_windows(text))), dtype=np.float32)
    return _unit(vectors.mean(axis=0))


def unit_vectors(vectors: Sequence[Sequence[float]]) -> list[Vector]:
    """Vectors as arrays of unit length."""
    return [_unit(np.asarray(vector, dtype=np.float32)) for vector in vectors]


def _unit(vector: Vector) -> Vector:
    norm = np.linalg.norm(vector)
    return vector / norm if norm > 0 else vector


def _windows(text: str) -> Iterable[str]:
    start = end = pieces = 0
    for first, last in sentences(text) or [(0, len(text))]:
        cost = estimate(text[first:last])
        if end > start and pieces + cost > _WINDOW_PIECES:
            yield text[start:end]
            start, pieces = first, 0
        end = last
        pieces += cost
    yield text[start:end]
