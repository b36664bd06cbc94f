"""The rule by which a difference becomes a finding: large enough to matter, and too large for chance.

Both are asked of everything. A large window would find trifles significant, and a small one lies far from its
reference by chance alone. The probabilities of one check are taken together (S. Holm 1979, "A simple sequentially
rejective multiple test procedure", Scandinavian Journal of Statistics 6), so that a check of forty things finds
something where nothing is with at most the probability `Rule.alpha`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tabular.drift.results import AUC, AVERAGE_PRECISION, CALIBRATION, About, Achieved, Compared, Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """How much is a finding.

    `psi` is the usual bound of the population stability index, here of its part beyond chance; `ks` the difference of
    cumulative shares, beyond chance too; `auc` and `average_precision` (a share of what it was) a loss;
    `calibration` a factor between what was expected and what there was. A finding that is open stays open while `keep`
    of its bound is reached and the single probability is below `keep_alpha`: it is not to come and go.
    """

    psi: float = 0.1
    ks: float = 0.1
    auc: float = 0.03
    average_precision: float = 0.2
    calibration: float = 1.5
    alpha: float = 0.01
    keep: float = 0.75
    keep_alpha: float = 0.05


@dataclass(frozen=True, slots=True)
class _Test:
    finding: Finding
    single: float


def find(
    compared: Sequence[Compared], achieved: Sequence[Achieved], rule: Rule, open_: Collection[tuple[str, str]] = ()
) -> list[Finding]:
    """What moved, the furthest first, one finding for each column or figure.

    `open_` holds name and `about` of what the check before found.
    """
    tests = [*(test for each in compared for test in _of_column(each, rule))]
    tests += [_of_figure(each, rule) for each in achieved]
    adjusted = holm([each.single for each in tests])
    best: dict[tuple[str, str], Finding] = {}
    for test, p in zip(tests, adjusted, strict=True):
        found = test.finding
        far = found.effect >= found.bound and p < rule.alpha
        stays = found.key in open_ and found.effect >= rule.keep * found.bound and test.single < rule.keep_alpha
        if far or stays:
            known = best.get(found.key)
            if known is None or found.effect / found.bound > known.effect / known.bound:
                best[found.key] = replace(found, p=p)
    return sorted(best.values(), key=lambda each: -each.effect / each.bound)


def holm(probabilities: Sequence[float]) -> list[float]:
    """Each probability, adjusted for all of them, in their order."""
    count, highest = len(probabilities), 0.0
    adjusted = [0.0] * count
    for rank, place in enumerate(sorted(range(count), key=lambda each: probabilities[each])):
        highest = max(highest, min((count - rank) * probabilities[place], 1.0))
        adjusted[place] = highest
    return adjusted


def _of_column(column: Compared, rule: Rule) -> list[_Test]:
    about = About.SEGMENT if column.group else About.FEATURE
    name, words = column.name, moved(column)
    told = f"{words} (PSI {column.psi.distance:.2f}"
    told += f", KS {column.ks.distance:.2f})" if column.ks is not None else ")"
    psi = Finding(name, about, "psi", column.psi.effect, rule.psi, 1.0, told)
    tests = [_Test(psi, column.psi.p)]
    if column.ks is not None:
        tests.append(_Test(Finding(name, about, "ks", column.ks.effect, rule.ks, 1.0, told), column.ks.p))
    return tests


def moved(column: Compared) -> str:
    """In words, the bin that moved most."""
    shifts = [
        abs((now - before) * math.log(max(now, 1e-6) / max(before, 1e-6)))
        for before, now in zip(column.before, column.now, strict=True)
    ]
    place = max(range(len(shifts)), key=shifts.__getitem__)
    before, now = column.before[place], column.now[place]
    label = column.name.replace("_", " ")
    return f"{label}: {column.bins[place]} is {_share(now)} of the window, and was {_share(before)}"


def _share(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 or not value else f"{value:.1%}"


def _of_figure(figure: Achieved, rule: Rule) -> _Test:
    loss = figure.before - figure.now
    if figure.name == CALIBRATION:
        now, usual = math.exp(figure.now), math.exp(figure.before)
        effect, bound = abs(loss), math.log(rule.calibration)
        words = f"there were {now:.2f} times as many frauds as the model expected, where {usual:.2f} is usual"
    else:
        effect, bound = loss, rule.auc
        if figure.name == AVERAGE_PRECISION:
            effect, bound = loss / max(figure.before, 1e-9), rule.average_precision
        label = {AUC: "AUC"}.get(figure.name, figure.name)
        words = f"{label} is {figure.now:.3f}, where {figure.low:.3f} to {figure.high:.3f} is usual"
    found = Finding(figure.name, About.PERFORMANCE, figure.name, effect, bound, 1.0, words)
    return _Test(found, figure.p)
