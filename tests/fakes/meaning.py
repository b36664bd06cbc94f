"""Embeddings that know a few words: a text's vector says how often each of them stands in it."""

from __future__ import annotations

import numpy as np
from langchain_core.embeddings import Embeddings


class KnownWords(Embeddings):
    """One dimension a known word and one for all the others; unit length, and equal texts have equal vectors."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        words = text.casefold().split()
        counts = [float(words.count(word)) for word in self.known]
        row = np.array([*counts, len(words) - sum(counts)])
        return [float(value) for value in row / max(float(np.linalg.norm(row)), 1e-12)]
