"""Checks a sentence against passages: is it there, word for word or in other words, or not at all?

The check is lexical on purpose: it is exact about what hurts most when wrong (numbers, names, negations), costs
microseconds, and its verdict can be explained. A sentence is

* `verbatim` when its words stand in a passage in the same order without a gap, within sentences that are no
  more negated than it is;
* `supported` when one sentence of a passage has every one of its numbers and names, the same polarity, no exception
  that the claim leaves out, at least `COVERAGE` of its content words, and all of those that it shares with the
  question: otherwise a true sentence about one thing could be bent into an answer about another. Title, headings
  and the heading above count as said;
* `unsupported` otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from agents.words import Word, content_stems, exceptions, names, negated, numbers, words
from core.sentences import sentences
from core.types import Hit, Passage, Verdict

COVERAGE = 0.8
# Fewer content words and numbers than this say nothing that could be supported.
SHORTEST = 2
LONGEST_HEADING = 12
LONGEST_LIST = 8
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Support:
    """A verdict with its evidence: the span `start:end` of the document's text, and which hit it stands in.

    `sentences` are the indices, within that hit's evidence, of the sentences that the span touches.
    An `unsupported` verdict has the span of the nearest passage sentence, or hit -1 where nothing is near.
    """

    verdict: Verdict
    hit: int
    start: int
    end: int
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that a passage says, read: its place `start:end` in the passage, its words, and what they weigh.

    It is a sentence, or a short list with the sentence that leads to it: an item alone seldom says anything.
    `asserts` is False for headings and questions, which introduce what is said and say nothing themselves; `above`
    has the stems of the heading or question that it stands under.
    """

    start: int
    end: int
    words: list[Word]
    stems: set[str]
    numbers: set[str]
    negated: bool
    exceptions: set[str]
    asserts: bool
    above: frozenset[str]


class Reading:
    """A passage taken apart into sentences, once for all the checks against it."""

    def __init__(self, passage: Passage) -> None:
        self.sentences: list[Sentence] = []
        above: frozenset[str] = frozenset()
        for start, end in _units(passage.text):
            sentence = _read(passage.text, start, end, above)
            if not sentence.asserts:
                above = frozenset(sentence.stems)
            self.sentences.append(sentence)
        self.title = words(passage.title)
        context = words(" ".join((passage.title, *passage.headings)))
        self.context_stems = content_stems(context)
        self.context_names = {word.folded for word in context}
        self.context_numbers = numbers(context)

    @cached_property
    def flat(self) -> list[tuple[int, int, int]]:
        """Every word of the passage as (sentence index, start, end), offsets in the passage."""
        return [
            (index, sentence.start + word.start, sentence.start + word.end)
            for index, sentence in enumerate(self.sentences)
            for word in sentence.words
        ]

    @cached_property
    def forms(self) -> list[str]:
        """The words' comparable forms, in the order of `flat`."""
        return [word.form for sentence in self.sentences for word in sentence.words]


# Popular passages are retrieved again and again; a thousand readings take about 30 MB.
@lru_cache(maxsize=1024)
def reading(passage: Passage) -> Reading:
    """The passage, read; remembered for the passages met last."""
    return Reading(passage)


class Evidence:
    """One hit of a search with its passage read."""

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.read = reading(hit.passage)

    @property
    def sentences(self) -> list[Sentence]:
        """The passage's sentences, in order."""
        return self.read.sentences

    def text(self, index: int) -> str:
        """A sentence as the document has it."""
        sentence = self.sentences[index]
        return self.hit.passage.text[sentence.start : sentence.end]


def _units(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences, where a list of at most `LONGEST_LIST` items is one, together with its lead-in."""
    units: list[tuple[int, int]] = []
    items = 0
    for start, end in sentences(text):
        line = text.rfind("\n", 0, start) + 1
        if _ITEM.fullmatch(text, line, start) is None:
            units.append((start, end))
            items = 0
            continue
        leads = bool(units) and (0 < items < LONGEST_LIST or (not items and text[units[-1][1] - 1] == ":"))
        units[len(units) - leads :] = [(units[-1][0] if leads else line, end)]
        items = items % LONGEST_LIST + 1
    return units


def _read(text: str, start: int, end: int, above: frozenset[str]) -> Sentence:
    tokens = words(text[start:end])
    listed = "\n" in text[start:end] or _ITEM.match(text, start, end) is not None
    # A whole line without a full stop that more text follows is a heading, unless it is a list or a table's row.
    whole = (start == 0 or text[start - 1] == "\n") and text[end : end + 1] == "\n"
    row = ";" in text[start:end]
    heading = whole and not listed and not row and len(tokens) <= LONGEST_HEADING and text[end - 1] not in ".!:;"
    asserts = not heading and text[end - 1] != "?"
    return Sentence(
        start, end, tokens, content_stems(tokens), numbers(tokens), negated(tokens), exceptions(tokens), asserts, above
    )  # fmt: skip


def check(sentence: str, evidence: Sequence[Evidence], question: str = "") -> Support:
    """Find the best support for the sentence among the passages; the earlier passage wins a tie."""
    claim = words(sentence)
    nearest = Support(Verdict.UNSUPPORTED, -1, 0, 0, ())
    if not claim:
        return nearest
    for number, passage in enumerate(evidence):
        found = _verbatim(claim, passage)
        if found is not None:
            return _support(Verdict.VERBATIM, number, passage, *found)
    stems = content_stems(claim)
    asserted = _Claim(
        stems,
        content_stems(claim[:1]) | (stems & content_stems(words(question))),
        numbers(claim),
        names(claim),
        negated(claim),
        exceptions(claim),
    )
    best = 0.0
    for number, passage in enumerate(evidence):
        for index, against in enumerate(passage.sentences):
            coverage, holds = _weigh(asserted, passage, against)
            if coverage > best and (holds or nearest.verdict is Verdict.UNSUPPORTED):
                best = coverage
                verdict = Verdict.SUPPORTED if holds else Verdict.UNSUPPORTED
                nearest = _support(verdict, number, passage, against.start, against.end, (index,))
    return nearest


@dataclass(frozen=True, slots=True)
class _Claim:
    stems: set[str]
    # What has to be there whatever the coverage: what the claim shares with the question, and its first word,
    # which has its capital by rule and may be a name.
    required: set[str]
    numbers: set[str]
    names: set[str]
    negated: bool
    exceptions: set[str]


def _verbatim(claim: list[Word], passage: Evidence) -> tuple[int, int, tuple[int, ...]] | None:
    """Where the claim's words stand in the passage without a gap, unless a negation was cut off."""
    wanted = [word.form for word in claim]
    for first in range(len(passage.read.forms) - len(wanted) + 1):
        if passage.read.forms[first] != wanted[0] or passage.read.forms[first : first + len(wanted)] != wanted:
            continue
        opening, start, _ = passage.read.flat[first]
        closing, _, end = passage.read.flat[first + len(wanted) - 1]
        touched = tuple(range(opening, closing + 1))
        if _odd(passage, touched) == negated(claim) and len(content_stems(claim) | numbers(claim)) >= SHORTEST:
            return start, end, touched
    return None


def _weigh(claim: _Claim, passage: Evidence, against: Sentence) -> tuple[float, bool]:
    """How much of the claim's content the sentence has, and whether it holds the claim."""
    stems = against.stems | against.above | passage.read.context_stems
    coverage = len(claim.stems & stems) / len(claim.stems) if claim.stems else float(bool(claim.numbers))
    holds = (
        coverage >= COVERAGE
        and len(claim.stems | claim.numbers) >= SHORTEST
        and claim.required <= stems
        and claim.numbers <= against.numbers | passage.read.context_numbers
        and claim.names <= {word.folded for word in against.words} | passage.read.context_names
        and claim.negated == against.negated
        and against.exceptions <= claim.exceptions
    )
    return coverage, holds


def _odd(passage: Evidence, window: tuple[int, ...]) -> bool:
    """Whether the sentences together say no."""
    return sum(passage.sentences[index].negated for index in window) % 2 == 1


def _support(
    verdict: Verdict, number: int, passage: Evidence, start: int, end: int, touched: tuple[int, ...]
) -> Support:
    offset = passage.hit.passage.start
    return Support(verdict, number, offset + start, offset + end, touched)
