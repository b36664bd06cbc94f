"""Readings that the tests write down, row by row."""

from __future__ import annotations

from core.media import Line, Reading


def reading(*printed: str) -> Reading:
    """A row a string; what `|` parts stands side by side."""
    lines = []
    for number, row in enumerate(printed):
        for place, text in enumerate(row.split("|")):
            left, top = 40 + 240 * place, 20 + 40 * number
            right, bottom = left + 10 * max(len(text.strip()), 1), top + 24
            corners = ((left, top), (right, top), (right, bottom), (left, bottom))
            lines.append(Line(text.strip(), corners, 0.9))
    return Reading(tuple(lines), 600, 20 + 40 * len(printed))
