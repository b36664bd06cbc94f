"""How the evidence of a message's media joins that of its words. Pure arithmetic, and every step of it can be named.

A judgement of several witnesses is the product of theirs, each to the power of its weight (a logarithmic opinion pool,
Genest and Zidek 1986, "Combining probability distributions"). The person's words weigh one, and a picture as
much as it could be read; a tone moves nothing but how soon a message is seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PICTURE = 1.0
"""A picture's weight where every word of it is certain."""
HASTE = 2.0
"""By how much, in log odds, a voice that certainly sounds tense speaks for the next more urgent priority."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What one source says: a probability for each label, how much it weighs, and what it is called."""

    name: str
    probabilities: Mapping[str, float]
    weight: float


def pooled(words: Mapping[str, float], others: Sequence[Witness]) -> dict[str, float]:
    """The probabilities of all together. A label that a witness does not know is left as it was."""
    least = 1e-6
    scores = dict(words)
    for label in scores:
        scores[label] = max(scores[label], least)
        for witness in others:
            scores[label] *= max(witness.probabilities.get(label, 1.0), least) ** witness.weight
    total = sum(scores.values())
    return {label: score / total for label, score in scores.items()}


def hastened(probabilities: Mapping[str, float], order: Sequence[str], tense: float) -> dict[str, float]:
    """The priorities (`order`, the least first) when a voice sounds tense with this probability, above one half.

    Each step up in priority gains by the same odds, so that what was far from urgent stays far from it.
    """
    gain = HASTE * max(0.0, 2 * tense - 1)
    least = 1e-6
    steps = [(step, label) for step, label in enumerate(order) if label in probabilities]
    scores = {label: max(probabilities[label], least) * math.exp(gain * step) for step, label in steps}
    total = sum(scores.values())
    return {label: score / total for label, score in scores.items()}
