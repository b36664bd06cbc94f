"""Made-up passages in any number, from a seed: what an index looks like to the engine, without the hours of embedding.

Vectors lie around a few hundred topics, as those of real texts do. Words follow the Zipf-Mandelbrot law; what its
shift leaves out are the stop words, which BM25 drops anyway, so that the commonest word is in a passage in six.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.ports import HybridQuery, IndexedPassage
from core.types import Audience, Passage, Scope

TOPICS, WORDS, VOCABULARY, SHIFT = 300, 60, 30_000, 50
PER_DOCUMENT = 50
TENANT = "default"
SCOPE = Scope(TENANT, (Audience.PUBLIC,))


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages `[0, count)` and the queries on them; equal numbers and seed give equal passages."""

    count: int
    names: tuple[str, ...]
    size: int
    seed: int = 0

    def documents(self) -> Iterator[list[IndexedPassage]]:
        """The passages, a document at a time."""
        rng = np.random.default_rng(self.seed)
        topics = self._topics()
        for number, first in enumerate(range(0, self.count, PER_DOCUMENT)):
            amount = min(PER_DOCUMENT, self.count - first)
            vectors = {name: _around(topics, rng, amount) for name in self.names}
            texts = _texts(rng, amount, WORDS)
            yield [
                IndexedPassage(
                    Passage(f"filler-{number}", f"Topic {number}", (), text, 0, len(text), position),
                    {name: vectors[name][position] for name in self.names},
                )
                for position, text in enumerate(texts)
            ]

    def queries(self, count: int, limit: int) -> list[HybridQuery]:
        """Queries about the same topics, in the same words."""
        rng = np.random.default_rng(self.seed + 1)
        vectors, texts = _around(self._topics(), rng, count), _texts(rng, count, 8)
        return [HybridQuery(text, vector, SCOPE, limit) for text, vector in zip(texts, vectors, strict=True)]

    def _topics(self) -> NDArray[np.float32]:
        return np.random.default_rng(self.seed + 2).standard_normal((TOPICS, self.size), dtype=np.float32)


def _around(topics: NDArray[np.float32], rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    chosen = topics[rng.integers(len(topics), size=count)]
    vectors = chosen + 0.9 * rng.standard_normal(chosen.shape, dtype=np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _texts(rng: np.random.Generator, count: int, words: int) -> list[str]:
    shares = 1 / np.arange(SHIFT, SHIFT + VOCABULARY)
    drawn = np.searchsorted(np.cumsum(shares / shares.sum()), rng.random((count, words)))
    return [" ".join(f"word{number}" for number in row) for row in drawn]
