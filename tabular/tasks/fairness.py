"""Do a model's decisions treat groups of people evenly? Figures for each group, and those that a limit is set on.

A decision is positive from the task's threshold on. Two figures compare groups: the ratio of the lowest to the highest
selection rate (demographic parity), and the greatest difference in true or false positive rates (equalized odds: Hardt,
Price, Srebro 2016). Point figures are fairlearn's. Intervals of rates are Wilson's; those of comparisons resample the
rows (bootstrap), which needs no more than the counts of each group, outcome and decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from fairlearn.metrics import (
    MetricFrame,
    count,
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
)

from core.errors import InvalidInput
from core.gates import Interval, Metric, wilson
from tabular.tasks.encoding import Bools, Floats, Labels
from tabular.tasks.measures import interval
from tabular.tasks.task import NOT_KNOWN, Protected, Task

RESAMPLES = 2000

_COUNTS = {
    "cases": count,
    "selected": lambda y_true, y_pred: int(np.sum(y_pred)),
    "positive": lambda y_true, y_pred: int(np.sum(y_true)),
    "found": lambda y_true, y_pred: int(np.sum(np.logical_and(y_true, y_pred))),
}


@dataclass(frozen=True, slots=True)
class Group:
    """How a group is treated; a rate without cases is None. `compared`: whether comparisons take it in."""

    name: str
    cases: int
    selected: Interval
    found: Interval | None
    wronged: Interval | None
    compared: bool


@dataclass(frozen=True, slots=True)
class Fairness:
    """A protected property: its groups, and how far they are apart.

    `ratio` and `difference` are of selection rates, `odds` of true and false positive rates, whichever is further.
    """

    protected: Protected
    groups: tuple[Group, ...]
    ratio: Interval
    difference: Interval
    odds: Interval


def fairness(
    task: Task, protected: Protected, chosen: Bools, target: Bools, of: Labels, *, seed: int = 0
) -> Fairness | None:
    """Compare the decisions `chosen` between groups: all three are (N,).

    Groups of fewer than `task.least` people, without a positive or a negative row, or not known, are told and not
    compared. Where fewer than two are left there is nothing to say: None, or `InvalidInput` if a limit is set.
    """
    frame = MetricFrame(metrics=_COUNTS, y_true=target, y_pred=chosen, sensitive_features=of)
    groups = tuple(
        _group(task, str(name), {key: int(row[key]) for key in _COUNTS}) for name, row in frame.by_group.iterrows()
    )
    if sum(each.compared for each in groups) < 2:
        if not protected.limited:
            return None
        told = f"fewer than two groups of {protected.column} have {task.least} people in the test part"
        raise InvalidInput(f"{told}: whether they are treated evenly cannot be shown", param="data")
    compared = np.isin(of, [each.name for each in groups if each.compared])
    drawn = _resampled(chosen[compared], target[compared], of[compared], seed)
    arguments = {"y_true": target[compared], "y_pred": chosen[compared], "sensitive_features": of[compared]}
    cases = int(compared.sum())
    ratio, difference, odds = (
        interval(float(figure(**arguments)), resampled, cases)
        for figure, resampled in zip(
            (demographic_parity_ratio, demographic_parity_difference, equalized_odds_difference), drawn, strict=True
        )
    )
    return Fairness(protected, groups, ratio, difference, odds)


def metrics(found: Sequence[Fairness]) -> dict[str, Metric]:
    """What the registry is told: limits are kept or the version is not promoted (`core/gates.py`)."""
    told: dict[str, Metric] = {}
    for each in found:
        name, protected = f"fairness/{each.protected.column}", each.protected
        told[f"{name}/selection-ratio"] = Metric(each.ratio, gates=False, limit=protected.ratio)
        told[f"{name}/odds-difference"] = Metric(each.odds, lower_is_better=True, gates=False, limit=protected.odds)
    return told


def _group(task: Task, name: str, counts: Mapping[str, int]) -> Group:
    cases, selected, positive, found = (counts[each] for each in ("cases", "selected", "positive", "found"))
    negative = cases - positive
    enough = cases >= task.least and positive > 0 and negative > 0
    return Group(
        name,
        cases,
        _share(selected, cases),
        _share(found, positive) if positive else None,
        _share(selected - found, negative) if negative else None,
        compared=enough and name != NOT_KNOWN,
    )


def _share(hits: int, cases: int) -> Interval:
    share = hits / cases
    low, high = wilson(hits, cases)
    # In the last bit, a share of 0 or 1 may lie outside its interval.
    return Interval(share, min(low, share), max(high, share), cases)


def _resampled(chosen: Bools, target: Bools, of: Labels, seed: int) -> tuple[Floats, Floats, Floats]:
    """The ratio, the difference and the odds difference of resampled rows, (RESAMPLES,) each; NaN where undefined."""
    names, place = np.unique(of, return_inverse=True)
    cells = np.bincount(place * 4 + target * 2 + chosen, minlength=4 * len(names))
    drawn = np.random.default_rng(seed).multinomial(len(of), cells / len(of), size=RESAMPLES)
    counts = drawn.reshape(RESAMPLES, len(names), 2, 2).astype(np.float64)
    selected = _rates(counts.sum(axis=2))
    by_target = _rates(counts)
    spread = np.ptp(by_target, axis=1)
    highest = selected.max(axis=1)
    # As fairlearn has it: where nobody is selected, everybody is treated alike.
    ratio = np.divide(selected.min(axis=1), highest, out=np.ones(RESAMPLES), where=highest > 0)
    return ratio, np.ptp(selected, axis=1), spread.max(axis=1)


def _rates(counts: Floats) -> Floats:
    """(..., 2) counts of refused and selected → the share selected."""
    total = counts.sum(axis=-1)
    return np.asarray(np.divide(counts[..., 1], total, out=np.full(total.shape, np.nan), where=total > 0))
