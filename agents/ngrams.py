"""Words and pairs of words of a text as TF-IDF weights: what a sentence embedding blurs, and a classifier can use.

"Cancel my order" and "track my order" lie close together as embeddings; their words do not. Digits are read as `#`, so
that `ORD-10421` is the pair `ord #` whatever its number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


def grams(text: str) -> list[str]:
    """The text's words and its pairs of neighbours, case folded, in order."""
    words = [_DIGITS.sub("#", word) for word in _WORD.findall(text.casefold())]
    return words + [f"{first} {second}" for first, second in pairwise(words)]


class Ngrams:
    """A vocabulary with the inverse document frequency of each of its entries."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32]) -> None:
        """`idf` has one entry for each of the vocabulary, in its order."""
        self.vocabulary = tuple(vocabulary)
        self.idf = idf
        self._places = {gram: place for place, gram in enumerate(self.vocabulary)}

    @classmethod
    def of(cls, texts: Sequence[str], *, least: int) -> Ngrams:
        """The vocabulary of these texts: what stands in at least `least` of them, in alphabetical order."""
        frequency = Counter(gram for text in texts for gram in set(grams(text)))
        vocabulary = sorted(gram for gram, count in frequency.items() if count >= least)
        # Smoothed as if one more text had every gram, so that none has no weight at all.
        counts = np.array([frequency[gram] for gram in vocabulary], np.float64)
        return cls(vocabulary, (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32))

    def weigh(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Places in the vocabulary, ascending, and their weights, of unit length together; both empty for no match."""
        counts = Counter(place for gram in grams(text) if (place := self._places.get(gram)) is not None)
        places = np.array(sorted(counts), np.int64)
        times = np.array([counts[place] for place in places.tolist()], np.float32)
        weights = (1 + np.log(times)) * self.idf[places]
        return places, weights / max(float(np.linalg.norm(weights)), 1e-12)
