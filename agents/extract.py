"""Finds the sentences of the passages that answer a question, without a language model.

Each sentence is weighed by how much of the question's informative vocabulary it has, where a word that stands
in most of the retrieved sentences tells little (a local inverse document frequency); words of its headings and of
the sentence before it count in part. A question for a quantity wants a number. The passage's own rank counts too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.grounding import Evidence
from agents.words import content_stems, numbers, words

# Weights found on the demo's own questions and checked on SQuAD 2 (docs/decisions/0004-answering.md).
CONTEXT = 0.5
QUANTITY = 0.15
RANK = 0.35
_QUANTITY = re.compile(
    r"\b(how (many|much|long|often|old|far|big|heavy|high|soon|late|early|fast)|when|what (time|year|date|age|"
    r"percentage|number|is the (price|cost|fee|limit|minimum|maximum)))\b|\b(cost|price|fee)s?\b",
    re.IGNORECASE,
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
    quantity = _QUANTITY.search(question) is not None
    terms = [[sentence.stems | sentence.numbers for sentence in passage.sentences] for passage in evidence]
    weights = _weights(wanted | content_stems(before) | numbers(before), terms)
    weights = {term: weight if term in wanted else CONTEXT * weight for term, weight in weights.items()}
    total = sum(weights.values()) or 1.0
    best_score = max((passage.hit.score for passage in evidence), default=0.0) or 1.0
    ranked = [
        Extract(
            number,
            index,
            _covered(own, _around(passage, index), weights) / total
            + (QUANTITY if quantity and passage.sentences[index].numbers else 0.0)
            + RANK * max(passage.hit.score, 0.0) / best_score,
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


def _around(passage: Evidence, index: int) -> set[str]:
    """What the reader of a sentence has in mind: title, headings, the heading above it, the sentence before it."""
    before = passage.sentences[index - 1].stems if index else set()
    return passage.read.context_stems | passage.sentences[index].above | before


def _covered(own: set[str], around: set[str], weights: dict[str, float]) -> float:
    """The weight of the question's words that the sentence has, in part where only its surroundings have them."""
    return sum(weight if term in own else CONTEXT * weight * (term in around) for term, weight in weights.items())
