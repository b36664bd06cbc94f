"""Deterministic embeddings: the hashed words of a text, so that texts with common words are near each other."""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache

import numpy as np
from langchain_core.embeddings import Embeddings


class FakeEmbeddings(Embeddings):
    """`salt` makes another model of it; `delay` is the seconds that a batch takes. Remembers the sizes of batches."""

    def __init__(self, size: int = 32, *, salt: str = "", delay: float = 0.0) -> None:
        self.size = size
        self.salt = salt
        self.delay = delay
        self.batches: list[int] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors of `size`."""
        self.batches.append(len(texts))
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """A unit vector of `size`."""
        words = [_word(self.salt + word, self.size) for word in text.lower().split()]
        vector = np.sum(words or [np.ones(self.size)], axis=0)
        return [float(value) for value in vector / np.linalg.norm(vector)]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """As `embed_documents`, after `delay`."""
        await asyncio.sleep(self.delay)
        return self.embed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        """As `embed_query`, after `delay`."""
        await asyncio.sleep(self.delay)
        return self.embed_query(text)


@lru_cache(maxsize=100_000)
def _word(word: str, size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(size)
