"""A text as hashed grams: what a model that carries no vocabulary reads, on the server and on a phone alike.

A text becomes a vector of `Hashing.buckets` floats. The steps are few and work on bytes, so that Kotlin or Swift
gives the same numbers; `tests/unit/core/test_hashing.py` holds vectors to check a port against:

1. The text's UTF-8 bytes, at most `CUT` of them (a character cut in two is left out). `A` to `Z` become small, the
   right quote U+2019 becomes `'`, each run of digits becomes one `0`. Nothing else is changed.
2. Words: each longest run of `a` to `z`, `0`, `'` and bytes from 0x80 on, and each single `?` or `!`. All other bytes
   separate. A word is read up to its 24th byte.
3. One space stands before, between and after the words. The grams are all windows of three to five bytes of that
   (the characters), then each word and each pair of neighbours with their spaces around (the words).
4. A gram's place is its 32-bit FNV-1a hash (Fowler, Noll and Vo; offset 2166136261, prime 16777619), folded by
   `h ^ (h >> 16)`, modulo `buckets`, which is a power of two.
5. A place weighs the square root of how often it came, the vector of characters and that of words are each made unit
   length, and the vector is the first plus `WORDS` times the second. A text without words is the zero vector.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CUT = 2_000
"""Bytes of a text that are read: some 350 words, and what bounds the time that a text may take."""

WORDS = 1.0
"""How long the vector of the words is, that of the characters having length one."""

_SHORTEST, _LONGEST = 3, 5
_WORD = re.compile(rb"[a-z0'\x80-\xff]+|[?!]")
_DIGITS = re.compile(rb"[0-9]+")
_LONGEST_WORD = 24
_OFFSET, _PRIME = 2166136261, 16777619


def plain(text: str) -> bytes:
    """The words of a text with one space before, between and after them; a single space where there is none."""
    cut = text[:CUT].encode("utf-8", "ignore")[:CUT].decode("utf-8", "ignore").replace("\u2019", "'")
    words = _WORD.findall(_DIGITS.sub(b"0", cut.encode().lower()))
    return b" ".join([b"", *(word[:_LONGEST_WORD] for word in words), b""]) if words else b" "


@dataclass(frozen=True, slots=True)
class Hashing:
    """Turns texts into vectors of `buckets` floats. Pure: equal texts give equal vectors, on any machine."""

    buckets: int = 4096

    def __post_init__(self) -> None:
        """Raises `ValueError` for a number of buckets that is no power of two."""
        if self.buckets < 2 or self.buckets & (self.buckets - 1):
            raise ValueError(f"{self.buckets} buckets: a power of two is needed")

    def vector(self, text: str) -> Floats:
        """The text's vector (buckets,)."""
        said = plain(text)
        characters = self._weighed(_windows(np.frombuffer(said, np.uint8)))
        vector: Floats = characters + np.float32(WORDS) * self._weighed(_words(said))
        return vector

    def matrix(self, texts: list[str]) -> Floats:
        """The vectors of texts (n, buckets)."""
        return np.stack([self.vector(text) for text in texts]) if texts else np.zeros((0, self.buckets), np.float32)

    def _weighed(self, hashes: NDArray[np.uint32]) -> Floats:
        folded = (hashes ^ (hashes >> np.uint32(16))) & np.uint32(self.buckets - 1)
        counts = np.bincount(folded, minlength=self.buckets)
        # The squares of the weights are shares of the grams, so that their vector has unit length.
        weights: Floats = np.sqrt(counts / max(1, hashes.size)).astype(np.float32)
        return weights


def _windows(said: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The hashes of all windows of three to five bytes."""
    size = said.size
    hashes = np.full(size, _OFFSET, np.uint32)
    found = []
    for length in range(1, min(_LONGEST, size) + 1):
        hashes = (hashes[: size - length + 1] ^ said[length - 1 :]) * np.uint32(_PRIME)
        if length >= _SHORTEST:
            found.append(hashes)
    return np.concatenate(found) if found else np.zeros(0, np.uint32)


def _words(said: bytes) -> NDArray[np.uint32]:
    """The hashes of the words and of the pairs of neighbours, with the spaces around them."""
    words = said.split()
    alone = [_hashed(word + b" ", _BLANK) for word in words]
    # A pair's hash goes on from that of its first word, whose last space it shares.
    pairs = [_hashed(second + b" ", first) for first, second in zip(alone, words[1:], strict=False)]
    return np.array(alone + pairs, np.uint32)


def _hashed(said: bytes, before: int) -> int:
    for byte in said:
        before = (before ^ byte) * _PRIME & 0xFFFFFFFF
    return before


_BLANK = _hashed(b" ", _OFFSET)
