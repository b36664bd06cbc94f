"""The plots of a drift report, as inline SVG that takes its colours from the page and its width from the screen."""

from __future__ import annotations

from html import escape

from tabular.drift.results import Achieved, Compared

WIDTH, _HEIGHT = 1000, 120


def bars(column: Compared) -> str:
    """Each bin's share then, pale, and now, beside it; a bin that was and is empty is left out."""
    shown = [each for each in zip(column.bins, column.before, column.now, strict=True) if each[1] > 0 or each[2] > 0]
    tallest = max((max(before, now) for _, before, now in shown), default=1.0)
    step = WIDTH / max(len(shown), 1)
    drawn = []
    for place, (label, before, now) in enumerate(shown):
        told = f"<title>{escape(label)}: {now:.1%}, was {before:.1%}</title>"
        drawn.append(_bar("before", place * step + step * 0.08, step * 0.4, before / tallest, told))
        drawn.append(_bar("now", place * step + step * 0.52, step * 0.4, now / tallest, told))
    label = f"{column.name}: shares by bin, before and now"
    floor = f'<line class="axis" x1="0" x2="{WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>'
    return _svg(label, _HEIGHT + 1, "".join(drawn) + floor)


def stretch(figure: Achieved) -> str:
    """A figure on the axis of what is usual: a bar for the interval, a dashed stroke for the middle, one for now."""
    ends = (figure.low, figure.high, figure.now)
    low, high = min(ends), max(ends)
    room = (high - low or 1.0) * 0.1
    low, high = low - room, high + room

    def at(value: float) -> float:
        return WIDTH * (value - low) / (high - low)

    left, right = at(figure.low), at(figure.high)
    return _svg(
        f"{figure.name}: {figure.now:.3f}, usual {figure.low:.3f} to {figure.high:.3f}",
        28,
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="14" y2="14"/>'
        f'<rect class="usual" x="{left:.1f}" width="{max(right - left, 2):.1f}" y="9" height="10"/>'
        f'<line class="middle" x1="{at(figure.before):.1f}" x2="{at(figure.before):.1f}" y1="3" y2="25"/>'
        f'<line class="mark" x1="{at(figure.now):.1f}" x2="{at(figure.now):.1f}" y1="3" y2="25"/>',
    )


def gauge(value: float, bound: float, most: float) -> str:
    """How far a column lies apart beyond chance, against its bound, the dashed stroke; `most` fills the width."""
    width = WIDTH * min(value / most, 1.0)
    style = "far" if value >= bound else "near"
    x = WIDTH * min(bound / most, 1.0)
    return _svg(
        f"{value:.3f} of {bound:.3f}",
        12,
        f'<rect class="{style}" x="0" width="{max(width, 1):.1f}" y="2" height="8"/>'
        f'<line class="middle" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="12"/>',
    )


def _bar(style: str, x: float, width: float, share: float, told: str) -> str:
    height = (_HEIGHT - 4) * share
    return (
        f'<rect class="{style}" x="{x:.1f}" width="{width:.1f}" y="{_HEIGHT - height:.1f}" height="{height:.1f}">'
        f"{told}</rect>"
    )


def _svg(label: str, height: int, body: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="-4 0 {WIDTH + 8} {height}" '
        f'style="height:{height}px" preserveAspectRatio="none">{body}</svg>'
    )
