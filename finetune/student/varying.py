"""New texts out of known ones, for a teacher to label: other words for words, words left out, typing mistakes.

The idea is that of TinyBERT's augmentation (Jiao et al. 2020): a student with few texts learns what the teacher
thinks of many more, and by them which words mean alike. Neighbours are the teacher's own: its embeddings of single
words. A varied text need not make sense and carries no label; whatever the teacher says of it is the lesson.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019]+")
_GAP = re.compile(r"(\s+)")

NEIGHBOURS = 12
"""How many words may stand in for one."""

ALIKE = 0.45
"""Least cosine of two words that may stand in for each other; among single words of MiniLM, most unlike are below."""

# Shares of words replaced, left out: drawn for each text, so that some stay close to what was said.
_REPLACED = (0.15, 0.3, 0.5)
_LEFT_OUT = (0.0, 0.05, 0.15)
_STRANGE = (0.4, 0.9)
_TYPOS = 0.03
_CARELESS = 0.3


def words_of(texts: Sequence[str]) -> list[str]:
    """The words of texts, small, each once, in alphabetical order."""
    return sorted({word.lower() for text in texts for word in WORD.findall(text)})


def neighbours(words: Sequence[str], vectors: Floats, wanted: Sequence[str]) -> dict[str, list[str]]:
    """For each of the wanted words the most alike of `words`, whose unit vectors are `vectors` (n, d); some have none.

    Raises `ValueError` for a wanted word that is not among them.
    """
    places = {word: place for place, word in enumerate(words)}
    if strange := set(wanted) - places.keys():
        raise ValueError(f"no vectors of: {', '.join(sorted(strange))}")
    found = {}
    for word in wanted:
        cosines = vectors @ vectors[places[word]]
        nearest = np.argsort(-cosines, kind="stable")[: NEIGHBOURS + 1]
        found[word] = [words[place] for place in nearest.tolist() if place != places[word] and cosines[place] >= ALIKE]
    return found


class Varying:
    """Varies texts. Equal seeds and equal calls give equal texts."""

    def __init__(self, near: Mapping[str, Sequence[str]], words: Sequence[str], *, seed: int) -> None:
        """`near` is what `neighbours` found; `words` are any others, for texts that are about nothing here."""
        self._near, self._words = near, words
        self._random = random.Random(seed)  # noqa: S311  (no secret: texts to learn from)

    def close(self, text: str) -> str:
        """The text with some words replaced by neighbours, some left out, some mistyped."""
        replaced, left_out = self._random.choice(_REPLACED), self._random.choice(_LEFT_OUT)
        parts = [self._word(part, replaced, left_out) for part in _GAP.split(text)]
        varied = " ".join("".join(parts).split())
        # Many write without capitals and without a mark at the end.
        return varied.lower().rstrip(".?!") if self._random.random() < _CARELESS else varied

    def far(self, text: str) -> str:
        """The text with words of any kind in place of its own: mostly out of scope, which is the point."""
        share = self._random.choice(_STRANGE)
        parts = []
        for part in _GAP.split(text):
            match = WORD.search(part)
            if match and len(match.group()) > 3 and self._random.random() < share:
                part = part[: match.start()] + self._random.choice(self._words) + part[match.end() :]
            parts.append(part)
        return " ".join("".join(parts).split())

    def joined(self, first: str, second: str) -> str:
        """The beginning of one text and the end of another."""
        start, end = first.split(), second.split()
        return " ".join([*start[: (len(start) + 1) // 2], *end[len(end) // 2 :]])

    def _word(self, part: str, replaced: float, left_out: float) -> str:
        match = WORD.search(part)
        if match is None:
            return part
        if self._random.random() < left_out:
            return ""
        word = match.group()
        near = self._near.get(word.lower())
        if near and self._random.random() < replaced:
            other = self._random.choice(near)
            other = other.capitalize() if word[0].isupper() else other
        elif self._random.random() < _TYPOS:
            other = self._mistyped(word)
        else:
            return part
        return part[: match.start()] + other + part[match.end() :]

    def _mistyped(self, word: str) -> str:
        """A letter missing, two exchanged, or one twice; short words stay."""
        if len(word) < 4:
            return word
        at = self._random.randrange(1, len(word) - 2)
        before, one, two, after = word[:at], word[at], word[at + 1], word[at + 2 :]
        return before + self._random.choice((two, two + one, one + one + two)) + after
