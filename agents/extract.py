"""Finds the sentences of the passages that answer a question, without a language model.

Each sentence is weighed by how much of the question's informative vocabulary it has, where a word that stands
in most of the retrieved sentences tells little (a local inverse document frequency); words of its headings and of
the sentence before it count in part. A question for a price, a time or a number wants a sentence that tells one. The
passage's own rank counts too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.grounding import Evidence
from agents.words import STOPWORDS, content_stems, names, numbers, words

# Weights that a learned ranking of the demo's, SQuAD 2's and a bank's questions agreed on, rounded
# (docs/decisions/0004-answering.md).
CONTEXT = 0.5
QUANTITY = 0.3
RANK = 0.6
# What a passage loses that lacks the names of the question, or whose title qualifies them: the fee of one card is no
# answer about another.
STRANGER = 0.3
# What a question asks for, and what a sentence that tells it looks like; the first that fits counts.
_WANTED = (
    (
        re.compile(r"\bhow much\b|\b(costs?|prices?|fees?|charges?|expensive|pay)\b", re.IGNORECASE),
        re.compile(r"[€$£]\s?\d|\d\s?(?:€|EUR|USD|GBP|CHF|%|percent)|\bfree\b", re.IGNORECASE),
    ),
    (
        re.compile(r"\b(how (long|soon|often|late|early|old)|when|what (time|year|date)|until)\b", re.IGNORECASE),
        re.compile(
            r"\d{1,2}:\d{2}|\b\d{4}\b|\d.{0,12}\b(hours?|days?|weeks?|months?|years?|minutes?|nights?)\b"
            r"|\b(\w+day|january|february|march|april|may|june|july|august|september|october|november|december"
            r"|immediately|at once|century)\b",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(r"\bhow (many|far|big|heavy|high|fast|deep|wide)\b|\bpercent", re.IGNORECASE),
        re.compile(r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|no|none|several)\b", re.IGNORECASE),
    ),
)


@dataclass(frozen=True, slots=True)
class Extract:
    """A sentence of a passage (`hit`, `sentence` are its indices) and how well it speaks to the question.

    `complete` says that the sentence itself has every word of the question that carries content.
    """

    hit: int
    sentence: int
    score: float
    complete: bool


def rank(question: str, evidence: Sequence[Evidence], *, context: str = "") -> list[Extract]:
    """Every sentence of the passages, the one that best answers the question first. Empty when there are none.

    `context` is the earlier question that a follow-up leans on: its words count in part.
    """
    asked, before = words(question), words(context)
    wanted = content_stems(asked) | numbers(asked)
    told = next((answer for ask, answer in _WANTED if ask.search(question)), None)
    terms = [[sentence.stems | sentence.numbers for sentence in passage.sentences] for passage in evidence]
    weights = _weights(wanted | content_stems(before) | numbers(before), terms)
    weights = {term: weight if term in wanted else CONTEXT * weight for term, weight in weights.items()}
    total = sum(weights.values()) or 1.0
    best_score = max((passage.hit.score for passage in evidence), default=0.0) or 1.0
    named = names(asked)
    apart = [_missing(named, passage) + _qualified(named, passage) for passage in evidence]
    # A name that no passage has tells nothing about which of them is meant.
    strange = [share - min(apart) for share in apart]
    ranked = [
        Extract(
            number,
            index,
            _covered(own, _around(passage, index), weights) / total
            + (QUANTITY if told is not None and told.search(passage.text(index)) else 0.0)
            + RANK * max(passage.hit.score, 0.0) / best_score
            - STRANGER * strange[number],
            wanted <= own,
        )
        for number, passage in enumerate(evidence)
        for index, own in enumerate(terms[number])
        if passage.sentences[index].asserts
    ]
    return sorted(ranked, key=lambda extract: (-extract.score, extract.hit, extract.sentence))


def _weights(wanted: set[str], terms: list[list[set[str]]]) -> dict[str, float]:
    """How telling each word of the question is among the retrieved sentences."""
    bags = [bag for passage in terms for bag in passage]
    seen = {term: sum(term in bag for bag in bags) for term in wanted}
    return {term: math.log(1 + (len(bags) - n + 0.5) / (n + 0.5)) for term, n in seen.items()}


def _missing(named: set[str], passage: Evidence) -> float:
    """The share of the names that neither the passage nor its title and headings have."""
    if not named:
        return 0.0
    said = passage.read.context_names.union(w.folded for s in passage.sentences for w in s.words)
    return len(named - said) / len(named)


def _qualified(named: set[str], passage: Evidence) -> float:
    """1 when the title qualifies the names of the question: "Gold Card" is not what "Business Gold Card" is about."""
    title = passage.read.title
    places = [place for place, word in enumerate(title) if word.folded in named]
    if not places:
        return 0.0
    spanned = title[max(0, places[0] - 1) : places[-1] + 1]
    return float(any(word.written[0].isupper() and not {word.folded} & (named | STOPWORDS) for word in spanned))


def _around(passage: Evidence, index: int) -> set[str]:
    """What the reader of a sentence has in mind: title, headings, the heading above it, the sentence before it."""
    before = passage.sentences[index - 1].stems if index else set()
    return passage.read.context_stems | passage.sentences[index].above | before


def _covered(own: set[str], around: set[str], weights: dict[str, float]) -> float:
    """The weight of the question's words that the sentence has, in part where only its surroundings have them."""
    return sum(weight if term in own else CONTEXT * weight * (term in around) for term, weight in weights.items())
