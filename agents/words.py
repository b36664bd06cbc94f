"""Text as a reader weighs it: words with their places, stems, numbers, names and negations (English)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import Stemmer

# One token: letters and digits, joined by the marks that stand inside numbers, ids, times and contractions.
_TOKEN = re.compile(r"\w+(?:[.,:'’/\-]\w+)*", re.UNICODE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90", "hundred": "100"}
NEGATIONS = frozenset(
    "no not never none nobody nothing neither nor cannot can't won't don't doesn't didn't isn't aren't wasn't "
    "weren't shouldn't couldn't wouldn't mustn't haven't hasn't hadn't ain't".split()
)
# Words that take part of a statement back. A claim that leaves them out says more than its source.
EXCEPTIONS = frozenset("unless except only".split())
# Words that carry no content of their own: function words, question words, and the politeness of questions.
STOPWORDS = (
    NEGATIONS
    | EXCEPTIONS
    | frozenset(
        "a an the this that these those there here it its it's i i'm i've i'd you your yours you're we our us they "
        "them their he she his her my me mine is am are was were be been being do does did done doing have has had "
        "having will would shall should can could may might must of in on at to for from by with without about into "
        "over after before between during under up down out off as and or but if so than then too very just also only "
        "what which who whom whose when where why how many much long any some each all both more most other such "
        "own same get got need want please tell know let's like thing things way one".split()
    )
)


class Word(NamedTuple):
    """A token of a text: as written, and its place `start:end` there.

    `folded` is its comparable form (case folded, straight apostrophes). `number` is the comparable form of a
    quantity, date, time or id, where `1,000.00`, `1000.0` and `1000` are the same, and `three` is `3`; None for
    every other word.
    """

    written: str
    folded: str
    number: str | None
    start: int
    end: int

    @property
    def form(self) -> str:
        """What two words must share to be the same word."""
        return self.number or self.folded


def words(text: str) -> list[Word]:
    """Every word of the text, in order."""
    return [Word(match.group(), *_read(match.group()), *match.span()) for match in _TOKEN.finditer(text)]


@lru_cache(maxsize=65536)
def _read(written: str) -> tuple[str, str | None]:
    folded = written.casefold().replace("’", "'")
    if folded in _NUMBER_WORDS:
        return folded, _NUMBER_WORDS[folded]
    if not any(c.isdigit() for c in folded):
        return folded, None
    plain = _THOUSANDS.sub("", folded)
    return folded, plain.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", plain) else plain


@lru_cache(maxsize=65536)
def stem(folded: str) -> str:
    """The Snowball English stem of a folded word."""
    return str(_stemmer().stemWord(folded.removesuffix("'s")))


def content_stems(tokens: list[Word]) -> set[str]:
    """Stems of the words that carry content: neither function words nor numbers."""
    return {stem(word.folded) for word in tokens if word.number is None and word.folded not in STOPWORDS}


def numbers(tokens: list[Word]) -> set[str]:
    """The comparable forms of all numbers, dates, times and ids."""
    return {word.number for word in tokens if word.number is not None}


def names(tokens: list[Word]) -> set[str]:
    """Folded forms of the words written as names: with a capital, and not merely because they open a sentence."""
    return {
        word.folded
        for place, word in enumerate(tokens)
        if word.written[0].isupper()
        and (place > 0 or word.written[1:] != word.written[1:].lower())
        and word.folded not in STOPWORDS
        and word.number is None
    }


def negated(tokens: list[Word]) -> bool:
    """Whether an odd number of negations stands in it, so that it says no."""
    return sum(word.folded in NEGATIONS for word in tokens) % 2 == 1


def exceptions(tokens: list[Word]) -> set[str]:
    """The words in it that take part of the statement back."""
    return {word.folded for word in tokens} & EXCEPTIONS


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
