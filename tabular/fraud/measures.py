"""How good a ranking of transactions is, measured as the Fraud Detection Handbook does (chapter 4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from sklearn.metrics import average_precision_score, roc_auc_score

CARDS = 100
"""How many cards a day people can look into."""


@dataclass(frozen=True, slots=True)
class Day:
    """The transactions of one day: whose they are, how suspicious they seem, and whether they were fraud."""

    cards: Sequence[Hashable]
    scores: Sequence[float]
    fraud: Sequence[bool]


def auc(days: Iterable[Day]) -> float:
    """Area under the ROC curve over all days' transactions. Raises ValueError when only one kind is there."""
    scores, fraud = _together(days)
    if len(set(fraud)) < 2:
        raise ValueError("the area under the curve takes frauds and others")
    return float(roc_auc_score(fraud, scores))


def average_precision(days: Iterable[Day]) -> float:
    """Average precision over all days' transactions. Raises ValueError when there is no fraud."""
    scores, fraud = _together(days)
    if not any(fraud):
        raise ValueError("the average precision takes a fraud")
    return float(average_precision_score(fraud, scores))


def card_precision(days: Iterable[Day], cards: int = CARDS) -> list[float]:
    """For each day, which share of the `cards` most suspicious cards had a fraud that day.

    A card is as suspicious as its most suspicious transaction. One that was found on an earlier day is blocked since,
    and left out. A day with fewer cards is measured against `cards` all the same.
    """
    found: set[Hashable] = set()
    shares = []
    for day in days:
        worst: dict[Hashable, float] = {}
        guilty: set[Hashable] = set()
        for card, score, fraud in zip(day.cards, day.scores, day.fraud, strict=True):
            if card in found:
                continue
            worst[card] = max(score, worst.get(card, score))
            if fraud:
                guilty.add(card)
        looked_into = sorted(worst, key=worst.__getitem__, reverse=True)[:cards]
        hit = guilty.intersection(looked_into)
        found |= hit
        shares.append(len(hit) / cards)
    return shares


def _together(days: Iterable[Day]) -> tuple[list[float], list[bool]]:
    scores: list[float] = []
    fraud: list[bool] = []
    for day in days:
        scores += day.scores
        fraud += day.fraud
    return scores, fraud
