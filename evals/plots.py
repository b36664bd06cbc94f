"""The report's plots, as inline SVG that takes its colours from the page and its width from the screen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from evals.intervals import Interval

WIDTH = 1000


def span(values: Sequence[float]) -> tuple[float, float]:
    """The axis that shows all the values: 0 to 1, or as much wider as they need."""
    return min(0.0, *values), max(1.0, *values)


def strip(interval: Interval, axis: tuple[float, float], baseline: float | None = None) -> str:
    """A metric on its axis: a bar for the interval, a stroke for the mean, a dashed one for the baseline."""
    low, mean, high = (_x(value, axis) for value in (interval.low, interval.value, interval.high))
    before = "" if baseline is None else _line("baseline", _x(baseline, axis), 3, 25)
    return _svg(
        f"{interval.value:.4f}, 95 % interval {interval.low:.4f} to {interval.high:.4f}",
        28,
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="14" y2="14"/>'
        + _line("axis", _x(0.0, axis), 6, 22)
        + f'<rect class="interval" x="{low:.1f}" width="{max(high - low, 2):.1f}" y="9" height="10"/>'
        + before
        + _line("mean", mean, 5, 23),
    )


def histogram(scores: Sequence[float], axis: tuple[float, float], bins: int = 25) -> str:
    """How many cases scored what; the tallest bin fills the height."""
    counts, edges = np.histogram(np.asarray(scores), bins=bins, range=axis)
    tallest = max(int(counts.max()), 1)
    bars = [
        f'<rect class="bin" x="{_x(left, axis) + 2:.1f}" width="{WIDTH / bins - 4:.1f}" '
        f'y="{100 - 96 * count / tallest:.1f}" height="{96 * count / tallest:.1f}">'
        f"<title>{left:.2f} to {right:.2f}: {count} cases</title></rect>"
        for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True)
        if count
    ]
    floor = f'<line class="axis" x1="0" x2="{WIDTH}" y1="100" y2="100"/>'
    return _svg(f"distribution of {len(scores)} scores", 101, "".join(bars) + floor)


def _x(value: float, axis: tuple[float, float]) -> float:
    return float(WIDTH * (value - axis[0]) / (axis[1] - axis[0]))


def _line(style: str, x: float, top: float, bottom: float) -> str:
    return f'<line class="{style}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'


def _svg(label: str, height: int, body: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="-4 0 {WIDTH + 8} {height}" '
        f'style="height:{height}px" preserveAspectRatio="none">{body}</svg>'
    )
