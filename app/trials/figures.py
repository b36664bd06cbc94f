"""How a challenger does beside the champion, and the rule that takes it back.

Everything that is compared is a share: of answers that failed, of answers that were slow, of ratings that were thumbs
down. The challenger is taken back when the lower end of its share's interval lies above the upper end of the
champion's: when even the kindest reading of the one is worse than the harshest of the other. The intervals are
Wilson's (E. B. Wilson 1927), which hold for few cases and for shares near zero, at 99 % each.

The rule is looked at after every answer, so a level that holds for one look would give false alarms. Two intervals
that must part are much stricter than one difference that must show, and that pays for the looks: docs/decisions/0024
has the rates. Nothing is decided before the challenger gave `minimum` answers.

Slow is an answer that took longer than `SLACK` times what nine in ten of the champion's latest took. So no model of
how long answers take is needed, and a challenger that is a little slower stays.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

Z = 2.576
"""Half the width of a 99 % interval, in standard deviations."""

SLACK = 1.25
_WINDOW = 1000
_USUAL = 0.9


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    bad: int
    of: int

    def bounds(self) -> tuple[float, float]:
        """Wilson's interval of the share, at `Z`; from 0 to 1 when nothing was counted."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.bad / self.of, Z * Z
        middle = share + square / (2 * self.of)
        half = Z * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of**2))
        scale = 1 + square / self.of
        return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)

    def __str__(self) -> str:
        """In words."""
        return f"{self.bad} of {self.of}"


@dataclass(slots=True)
class Side:
    """What one side did since the trial began, as this process saw it. `seconds` are of the latest good answers."""

    answers: int = 0
    errors: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    ratings: Share = Share(0, 0)

    def answered(self, seconds: float, fault: str | None) -> None:
        """Count an answer, or a failure: how long one took to fail is no measure of anything."""
        self.answers += 1
        if fault is None:
            self.seconds.append(seconds)
        else:
            self.errors += 1

    def quantile(self, share: float) -> float | None:
        """How long `share` of the latest answers took at most, in seconds."""
        return _quantile(self.seconds, share)


@dataclass(slots=True)
class Figures:
    """Both sides of a trial. A shadow also has `agreement`: how alike its answers were, from 0 to 1, over `compared`.

    `skipped` shadow answers were never asked for, because as many as may were under way. `faults` counts the
    challenger's by their words.
    """

    champion: Side = field(default_factory=Side)
    challenger: Side = field(default_factory=Side)
    compared: int = 0
    agreement: float = 0.0
    skipped: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def agreed(self, alike: float) -> None:
        """Add one comparison to the mean."""
        self.compared += 1
        self.agreement += (alike - self.agreement) / self.compared

    def failed(self, fault: str) -> None:
        """Remember what went wrong with the challenger."""
        self.faults[fault] = self.faults.get(fault, 0) + 1

    def verdict(self, minimum: int) -> list[tuple[str, str]]:
        """Why the challenger must go: each reason as a word and a sentence. Empty while it may stay."""
        new, old = self.challenger, self.champion
        pairs = {
            "errors": ("failed", Share(new.errors, new.answers), Share(old.errors, old.answers)),
            "latency": ("were slow", *self._slow()),
            "feedback": ("were disliked", new.ratings, old.ratings),
        }
        return [
            (reason, f"{challenger} answers {words}; of the champion's, {champion}")
            for reason, (words, challenger, champion) in pairs.items()
            if worse(challenger, champion, minimum)
        ]

    def _slow(self) -> tuple[Share, Share]:
        usual = self.champion.quantile(_USUAL)
        if usual is None:
            return Share(0, 0), Share(0, 0)
        return _above(self.challenger.seconds, SLACK * usual), _above(self.champion.seconds, SLACK * usual)


def worse(challenger: Share, champion: Share, minimum: int) -> bool:
    """Whether the challenger's share is worse beyond doubt; never before it has `minimum` cases."""
    return challenger.of >= minimum and challenger.bounds()[0] > champion.bounds()[1]


def _above(seconds: Sequence[float], limit: float) -> Share:
    return Share(sum(each > limit for each in seconds), len(seconds))


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
