"""How far two distributions lie apart, and how far they would by chance.

The population stability index and Pearson's statistic are, for small shifts and independent rows, the same number up
to a factor: PSI ~ (1/N + 1/M) χ² with one degree of freedom less than there are bins (B. Yurdakul, J. Naranjo 2020,
"Statistical properties of the population stability index", Journal of Risk Model Validation 14). Rows of one card are
not independent. How much more the shares of bins vary than independent rows would is read off the reference's own
windows, and Pearson's statistic is corrected for it (J. N. K. Rao, A. J. Scott 1984, "On chi-squared tests for
multiway contingency tables with cell proportions estimated from survey data", Annals of Statistics 12; as an F: D. R.
Thomas, J. N. K. Rao 1987, JASA 82).
"""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc, kolmogorov

from tabular.drift.reference import Counts
from tabular.drift.results import Apart, Usual
from tabular.features import Floats

LEAST_EXPECTED = 5.0
"""The least that a bin may be expected to hold (W. G. Cochran 1954); smaller ones are joined with a neighbour."""


def joined(expected: Floats, now: Counts) -> Counts:
    """Which bin each is joined into, (bins,), so that each is expected to hold `LEAST_EXPECTED`.

    Bins in their order; a bin that holds too little goes with the next, and at the end with the one before. The last
    one, which is of another nature, stays by itself if it can, and also where more is in it `now` than could be
    overlooked.
    """
    place, into, held = 0, list[int](), 0.0
    for each in expected[:-1]:
        into.append(place)
        held += float(each)
        if held >= LEAST_EXPECTED:
            place, held = place + 1, 0.0
    if held and place:
        into = [min(each, place - 1) for each in into]
        place -= 1
    elif not held and place:
        place -= 1
    last = place + (expected[-1] >= LEAST_EXPECTED or now[-1] >= 2 * LEAST_EXPECTED)
    return np.asarray([*into, last], dtype=np.int64)


def join(counts: Counts, into: Counts) -> Counts:
    """Add up the bins that are joined: (..., bins) → (..., fewer)."""
    joined_bins = np.zeros((*counts.shape[:-1], int(into.max()) + 1), dtype=np.int64)
    for old, new in enumerate(into.tolist()):
        joined_bins[..., new] += counts[..., old]
    return joined_bins


def usual(windows: Counts) -> Usual:
    """How much the shares of bins vary from window to window, (windows, bins); two windows are the least."""
    sizes, shares = windows.sum(axis=1), windows.sum(axis=0) / windows.sum()
    kept = shares > 0
    windows, shares = windows[:, kept], shares[kept]
    count, bins = windows.shape
    if bins < 2:
        return Usual(1.0, 1.0, 1.0, count)
    apart = (windows - sizes[:, None] * shares) / np.sqrt(sizes[:, None] * shares)
    # Its trace is what independent rows would make `bins - 1`; its eigenvalues say along how many directions.
    spread = apart.T @ apart / (count - 1)
    trace, square = float(np.trace(spread)), float((spread * spread).sum())
    freedom = min(max(trace * trace / square, 1.0), bins - 1.0) if square else bins - 1.0
    edges = np.cumsum(shares)[:-1]
    steps = np.cumsum(windows, axis=1)[:, :-1] - sizes[:, None] * edges
    cumulative = (steps**2 / (sizes[:, None] * edges * (1 - edges))).sum(axis=0) / (count - 1)
    return Usual(max(trace / (bins - 1), 1.0), freedom, max(float(cumulative.max()), 1.0), count)


def stability(before: Counts, now: Counts, usual: Usual) -> Apart:
    """The population stability index of two counts over the same bins.

    An empty bin counts as half a row: its logarithm would be infinite. Chance makes (1/N + 1/M) times the degrees of
    freedom times the inflation of it.
    """
    total, size = int(before.sum()), int(now.sum())
    filled = (before + now) > 0
    first, second = before[filled], now[filled]
    bins = len(first)
    if bins < 2:
        return Apart(0.0, 0.0, 1.0)
    p, q = (np.maximum(each, 0.5) / np.maximum(each, 0.5).sum() for each in (first, second))
    index = float(((q - p) * np.log(q / p)).sum())
    chance = (1 / total + 1 / size) * (bins - 1) * usual.inflation
    pooled = (first + second) / (total + size)
    pearson = sum(float(((each - each.sum() * pooled) ** 2 / (each.sum() * pooled)).sum()) for each in (first, second))
    f = pearson / (bins - 1) / usual.inflation
    freedom = min(usual.freedom, bins - 1.0)
    return Apart(index, chance, float(fdtrc(freedom, freedom * (usual.windows - 1), f)))


def kolmogorov_smirnov(ranks: Floats, total: int, values: Floats, usual: Usual) -> Apart:
    """The largest difference of two cumulative shares, where `ranks` stand for `total` values.

    With as many effective rows as the inflation of cumulative shares leaves. For values that repeat the probability is
    too large, never too small.
    """
    if not len(ranks) or not len(values):
        return Apart(0.0, 0.0, 1.0)
    before, now = np.sort(ranks), np.sort(values)
    at = np.concatenate([before, now])
    shares = [np.searchsorted(each, at, side="right") / len(each) for each in (before, now)]
    distance = float(np.abs(shares[0] - shares[1]).max())
    effective = total * len(now) / (total + len(now)) / usual.cumulative
    # The mean of the Kolmogorov distribution is √(π/2) ln 2.
    chance = float(np.sqrt(np.pi / 2) * np.log(2) / np.sqrt(effective))
    return Apart(distance, chance, float(kolmogorov(np.sqrt(effective) * distance)))
