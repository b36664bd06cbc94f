"""The gate: is a measured thing worse than the one it is to replace, by more than chance?

There is one rule, for an evaluation against its baseline and for a model against the champion: a metric has regressed
when the old value is better than the whole interval of the new one. A metric that is missing has regressed too.

Some figures must be good enough whatever they are to replace, such as how evenly a model treats groups of people. Such
a metric has a limit, and its value decides, not the better end of its interval. What the champion was held to, every
later version is held to as well: it may bring a stricter limit, but no looser one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over `cases` cases, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Metric:
    """What a model was measured to be. A metric that does not gate is told and never compared: a size, a duration.

    With a `limit`, the value may not be worse than it, whether the metric gates or not.
    """

    interval: Interval
    lower_is_better: bool = False
    gates: bool = True
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the gate looked at. `words` say what was found; `refuses` says that it stands in the way."""

    metric: str
    refuses: bool
    words: str


def regressed(before: float, now: Interval, *, lower_is_better: bool) -> bool:
    """Whether the value `before` is better than the whole interval `now`."""
    return before < now.low if lower_is_better else before > now.high


def sound(interval: Interval) -> str | None:
    """What is wrong with the figures, if something is."""
    if not all(math.isfinite(each) for each in (interval.value, interval.low, interval.high)):
        return "its value and the ends of its interval must be finite numbers"
    if not interval.low <= interval.value <= interval.high:
        return f"its value {interval.value} lies outside its interval {interval.low} to {interval.high}"
    return "it was measured over no cases" if interval.cases < 1 else None


def judge(challenger: Mapping[str, Metric], champion: Mapping[str, Metric] | None) -> list[Finding]:
    """Compare each gating metric of the champion with the challenger's, in the champion's direction.

    Without a champion there is nothing to be worse than, but the challenger must have been measured at all. Either way
    it is held to its own limits and to the champion's.
    """
    return [*_compared(challenger, champion), *_limited(challenger, champion or {})]


def _compared(challenger: Mapping[str, Metric], champion: Mapping[str, Metric] | None) -> list[Finding]:
    if champion is None:
        measured = sorted(name for name, metric in challenger.items() if metric.gates)
        if measured:
            return [Finding("", False, f"there is no champion to be worse than; measured: {', '.join(measured)}")]
        return [Finding("", True, "it has no gating metric: what nobody measured is not promoted")]
    gating = {name: metric for name, metric in champion.items() if metric.gates}
    return [_finding(name, before, challenger.get(name)) for name, before in sorted(gating.items())]


def _finding(name: str, before: Metric, now: Metric | None) -> Finding:
    old = f"{before.interval.value:.4g}"
    if now is None:
        return Finding(name, True, f"{name} is missing; the champion has {old}")
    if now.lower_is_better != before.lower_is_better:
        better = "lower" if before.lower_is_better else "higher"
        return Finding(name, True, f"{name} turned round: for the champion {better} is better")
    # More cases are what a growing log brings; with fewer, a fall could hide in what was left out.
    if now.interval.cases < before.interval.cases:
        told = f"{name} was measured over {now.interval.cases} cases, the champion's over {before.interval.cases}"
        return Finding(name, True, f"{told}: not comparable")
    new = f"{now.interval.value:.4g} ({now.interval.low:.4g} to {now.interval.high:.4g})"
    if regressed(before.interval.value, now.interval, lower_is_better=before.lower_is_better):
        return Finding(name, True, f"{name} is worse: {new}, the champion has {old}")
    return Finding(name, False, f"{name} is no worse: {new}, the champion has {old}")


def _limited(challenger: Mapping[str, Metric], champion: Mapping[str, Metric]) -> list[Finding]:
    both = {**champion, **challenger}
    names = sorted({name for metrics in (challenger, champion) for name, each in metrics.items() if _limits(each)})
    return [_held(name, both[name], challenger.get(name), champion.get(name)) for name in names]


def _held(name: str, known: Metric, now: Metric | None, before: Metric | None) -> Finding:
    strictest = min if known.lower_is_better else max
    limit = strictest(_limits(now) + _limits(before))
    bound = f"at {'most' if known.lower_is_better else 'least'} {limit:.4g}"
    if now is None:
        return Finding(name, True, f"{name} is missing; it must be {bound}, as the champion's")
    if before is not None and now.lower_is_better != before.lower_is_better:
        return Finding(name, True, f"{name} turned round: its limit was one in the other direction")
    value = now.interval.value
    kept = value <= limit if known.lower_is_better else value >= limit
    return Finding(
        name, not kept, f"{name} is {value:.4g}, and {'must be' if not kept else 'keeps its limit:'} {bound}"
    )


def _limits(metric: Metric | None) -> list[float]:
    return [] if metric is None or metric.limit is None else [metric.limit]


def wilson(hits: int, cases: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share (E. B. Wilson 1927), half as wide as `z` standard deviations: 1.96 is 95 %.

    It holds for few cases and for shares near zero; without cases it is from 0 to 1.
    """
    if not cases:
        return 0.0, 1.0
    share, square = hits / cases, z * z
    middle = share + square / (2 * cases)
    half = z * math.sqrt(share * (1 - share) / cases + square / (4 * cases**2))
    scale = 1 + square / cases
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
