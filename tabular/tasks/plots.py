"""Plots for the report, as data URIs: whether probabilities hold, and what the columns do (drawn by shap)."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from tabular.tasks.encoding import Bools, Encoding, Floats
from tabular.tasks.measures import BINS
from tabular.tasks.model import Judged

mpl.use("agg")
with warnings.catch_warnings():
    # It makes its colours in a way that matplotlib is going to drop.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    import shap
import matplotlib.pyplot as plt

SHOWN = 12
DRAWN = 1000


def calibration_plot(probabilities: Floats, target: Bools) -> str:
    """In ten bins of the probability: what was said against what came, and how many rows each bin has."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    there = counts > 0
    said = np.bincount(bins, probabilities, minlength=BINS)[there] / counts[there]
    came = np.bincount(bins, target, minlength=BINS)[there] / counts[there]
    figure = Figure(figsize=(6, 5), layout="constrained")
    top, bottom = figure.subplots(2, height_ratios=(4, 1), sharex=True)
    top.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    top.plot(said, came, marker="o", color="#0b6e6e")
    top.set_ylabel("share that was positive")
    bottom.bar((np.arange(BINS) + 0.5) / BINS, counts, width=0.09, color="#0b6e6e")
    bottom.set_ylabel("rows")
    bottom.set_xlabel("probability")
    return _inlined(figure)


def bar_plot(encoding: Encoding, judged: Judged, matrix: Floats) -> str:
    """The columns by their mean share of the log odds, whichever its sign."""
    return _drawn(lambda told: shap.plots.bar(told, max_display=SHOWN, show=False), encoding, judged, matrix)


def beeswarm_plot(encoding: Encoding, judged: Judged, matrix: Floats) -> str:
    """Every row's share of the log odds, column by column; the colour is the value, a category's by its place."""
    return _drawn(lambda told: shap.plots.beeswarm(told, max_display=SHOWN, show=False), encoding, judged, matrix)


def _drawn(draw: Callable[[Any], None], encoding: Encoding, judged: Judged, matrix: Floats) -> str:
    rows = slice(0, DRAWN)
    told = shap.Explanation(
        judged.shares[rows],
        base_values=np.full(len(judged.shares[rows]), judged.base),
        data=matrix[rows],
        feature_names=list(encoding.names),
    )
    plt.figure()
    with warnings.catch_warnings():
        # Of shap's own calls into numpy and matplotlib, which no argument of ours changes.
        warnings.simplefilter("ignore")
        draw(told)
    figure = plt.gcf()
    try:
        return _inlined(figure)
    finally:
        plt.close(figure)


def _inlined(figure: Figure) -> str:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=110, bbox_inches="tight")
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"
