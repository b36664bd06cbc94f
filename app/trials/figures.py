"""How a challenger does beside the champion, and the rule that takes it back.

Everything that is compared is a share: of answers that failed, of answers that were slow, of ratings that were thumbs
down. The challenger is taken back when the lower end of its share's interval lies above the upper end of the
champion's: when even the kindest reading of the one is worse than the harshest of the other. The intervals are
Wilson's (E. B. Wilson 1927), which hold for few cases and for shares near zero, at 99 % each.

The rule is looked at after every answer, so a level that holds for one look would give false alarms. Two intervals
that must part are much stricter than one difference that must show, and that pays for the looks: docs/decisions/0024
has the rates. Nothing is decided before the challenger gave `minimum` answers.

Slow is an answer that took longer than `SLACK` times what nine in ten of the champion's latest answers before it took.
Both sides are held against the same moment, so that an hour of much traffic is nobody's fault; no model of how long
answers take is needed, and a challenger that is a little slower stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.gates import wilson

Z = 2.576
"""Half the width of a 99 % interval, in standard deviations."""

SLACK = 1.25
_SHOWN = 1000
_USUAL = 0.9
_LATEST = 100
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    bad: int
    of: int

    def bounds(self) -> tuple[float, float]:
        """Wilson's interval of the share, at `Z`; from 0 to 1 when nothing was counted."""
        return wilson(self.bad, self.of, Z)

    def __str__(self) -> str:
        """In words."""
        return f"{self.bad} of {self.of}"


@dataclass(slots=True)
class Side:
    """What one side did since the trial began, as this process saw it.

    `seconds` are of the latest good answers, to be shown; `slow` is the share of those that could be judged.
    """

    answers: int = 0
    errors: int = 0
    slow: Share = Share(0, 0)
    ratings: Share = Share(0, 0)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_SHOWN))

    def answered(self, seconds: float, fault: str | None, limit: float | None) -> None:
        """Count an answer, slow above `limit`, or a failure: how long one took to fail is no measure of anything."""
        self.answers += 1
        if fault is not None:
            self.errors += 1
            return
        self.seconds.append(seconds)
        if limit is not None:
            self.slow = Share(self.slow.bad + (seconds > limit), self.slow.of + 1)

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
    _latest: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))

    def answered(self, side: Side, seconds: float, fault: str | None) -> None:
        """Count an answer of one of the two, or what went wrong with it."""
        usual = _quantile(self._latest, _USUAL) if len(self._latest) >= _ENOUGH else None
        side.answered(seconds, fault, None if usual is None else SLACK * usual)
        if side is self.challenger:
            if fault is not None:
                self.faults[fault] = self.faults.get(fault, 0) + 1
        elif fault is None:
            self._latest.append(seconds)

    def agreed(self, alike: float) -> None:
        """Add one comparison to the mean."""
        self.compared += 1
        self.agreement += (alike - self.agreement) / self.compared

    def verdict(self, minimum: int) -> list[tuple[str, str]]:
        """Why the challenger must go: each reason as a word and a sentence. Empty while it may stay."""
        new, old = self.challenger, self.champion
        pairs = {
            "errors": ("failed", Share(new.errors, new.answers), Share(old.errors, old.answers)),
            "latency": ("were slow", new.slow, old.slow),
            "feedback": ("were disliked", new.ratings, old.ratings),
        }
        return [
            (reason, f"{challenger} answers {words}; of the champion's, {champion}")
            for reason, (words, challenger, champion) in pairs.items()
            if worse(challenger, champion, minimum)
        ]


def worse(challenger: Share, champion: Share, minimum: int) -> bool:
    """Whether the challenger's interval lies above the champion's; never before it has `minimum` cases."""
    return challenger.of >= minimum and challenger.bounds()[0] > champion.bounds()[1]


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
