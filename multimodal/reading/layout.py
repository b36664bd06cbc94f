"""The order in which a person reads lines: rows by overlap, and columns of running text one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from core.media import Line

_OVERLAP = 0.5  # of the lower line's height, to stand in one row
_COLUMN_LINES = 3
_COLUMN_WIDTH = 0.25  # of the text's width; columns of amounts are narrower, and belong to their rows
_CROSSING = 0.2  # of the lines may lie across the gap: headings


@dataclass(frozen=True, slots=True)
class Box:
    """A line's place once the picture is level: its number in the input and its sides, in pixels."""

    index: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        """Its height on the page."""
        return (self.top + self.bottom) / 2


def in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines in reading order."""
    return [lines[box.index] for box in _ordered(_boxes(lines))]


def rows(lines: Sequence[Line]) -> list[list[int]]:
    """The numbers of the lines that stand side by side, row by row, each from left to right."""
    return [[box.index for box in row] for row in _rows(_boxes(lines))]


def _boxes(lines: Sequence[Line]) -> list[Box]:
    # A photo leans a little: along its long lines, what is level can be told.
    slopes = [
        (line.corners[1][1] - line.corners[0][1]) / (line.corners[1][0] - line.corners[0][0])
        for line in lines
        if line.corners[1][0] - line.corners[0][0] > 3 * abs(line.corners[3][1] - line.corners[0][1])
    ]
    slope = median(slopes) if slopes else 0.0
    found = []
    for index, line in enumerate(lines):
        across = [x for x, _ in line.corners]
        down = [y - slope * x for x, y in line.corners]
        found.append(Box(index, min(across), min(down), max(across), max(down)))
    return found


def _rows(boxes: Sequence[Box]) -> list[list[Box]]:
    found: list[list[Box]] = []
    for box in sorted(boxes, key=lambda each: (each.middle, each.left, each.index)):
        # Held against the row's latest member: against all of them, one tall line would tie several rows together.
        if found and _beside(found[-1][-1], box):
            found[-1].append(box)
        else:
            found.append([box])
    return [sorted(row, key=lambda each: (each.left, each.index)) for row in found]


def _beside(one: Box, other: Box) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > _OVERLAP * min(one.bottom - one.top, other.bottom - other.top)


def _ordered(boxes: Sequence[Box]) -> list[Box]:
    gap = _gap(boxes)
    if gap is None:
        return [box for row in _rows(boxes) for box in row]
    across = sorted((box for box in boxes if box.left < gap < box.right), key=lambda each: each.middle)
    rest = [box for box in boxes if not box.left < gap < box.right]
    found: list[Box] = []
    for heading in (*across, None):
        band = [box for box in rest if heading is None or box.middle < heading.middle]
        rest = [box for box in rest if box not in band]
        found += _ordered([box for box in band if box.right <= gap])
        found += _ordered([box for box in band if box.left >= gap])
        found += [heading] if heading is not None else []
    return found


def _gap(boxes: Sequence[Box]) -> float | None:
    """Where a gap between two columns of running text is, or None."""
    if len(boxes) < 2 * _COLUMN_LINES:
        return None
    width = max(box.right for box in boxes) - min(box.left for box in boxes)
    for place in sorted({box.left for box in boxes}):
        sides = [box for box in boxes if box.right <= place], [box for box in boxes if box.left >= place]
        if len(boxes) - len(sides[0]) - len(sides[1]) > _CROSSING * len(boxes):
            continue
        if all(
            len(side) >= _COLUMN_LINES and median(box.right - box.left for box in side) >= _COLUMN_WIDTH * width
            for side in sides
        ):
            return place
    return None
