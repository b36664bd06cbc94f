"""The columns of a table that are numbers, found in its file and asked of single rows; the others are named.

Nobody declares them, as a `Task` does: a column is one of numbers where nine of ten of its known values are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import InvalidInput
from tabular.tasks.encoding import Floats
from tabular.tasks.reading import Raw, read_raw
from tabular.tasks.rejected import Problem

MOST_COLUMNS = 100
LARGEST = 1e15
"""Of a number, either way: its cube can still be reckoned with."""

LEAST_KNOWN = 100
_NUMBERS = 0.9
_TOO_LARGE = "is further than 1e15 from zero"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that no model meets, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """The columns of numbers of a file's sound rows, (N, columns), NaN where a value is not known.

    `left_out` are the other columns, `problems` the rows that were set aside, `header` is the file's.
    """

    names: tuple[str, ...]
    matrix: Floats
    left_out: tuple[LeftOut, ...]
    problems: tuple[Problem, ...]
    header: tuple[str, ...]

    @property
    def rejected(self) -> int:
        """How many rows were set aside; one row may have several problems."""
        return len({each.line for each in self.problems})


def read_numbers(path: Path) -> Numbers:
    """Read a file and part its columns and rows.

    A column is left out when fewer than nine of ten known values are numbers, fewer than 100 are known, or it names
    the rows: it only ever rises or falls, or counts them. A value that is no number in a column of numbers sets its
    row aside. Raises `InvalidInput` as `read_raw` does, for no column of numbers, and for more than 100.
    """
    raw = read_raw(path)
    names: list[str] = []
    left_out: list[LeftOut] = []
    for name in raw.header:
        why = _text(raw, name)
        if why is None:
            names.append(name)
        else:
            left_out.append(LeftOut(name, why))
    problems = [Problem(each.line, "", each.reason, each.plain) for each in raw.ragged]
    sound = []
    for row in raw.rows:
        values = {name: value for name in names if (value := row.values[name]) is not None}
        found = [(name, why) for name, value in values.items() if (why := wrong(value)) is not None]
        problems += [Problem(row.line, name, why, row.plain) for name, why in found]
        if not found:
            sound.append([float(values.get(name, "nan")) for name in names])
    matrix = np.array(sound, dtype=np.float64).reshape(len(sound), len(names))
    reasons = {name: _useless(matrix[:, place]) for place, name in enumerate(names)}
    left_out += [LeftOut(name, why) for name, why in reasons.items() if why is not None]
    kept = [place for place, name in enumerate(names) if reasons[name] is None]
    if not 0 < len(kept) <= MOST_COLUMNS:
        why = "".join(f"; {each.name} {each.why}" for each in left_out[:MOST_COLUMNS])
        told = f"{path} has {len(kept)} columns of numbers, and 1 to {MOST_COLUMNS} are taken{why}"
        raise InvalidInput(told, param="data")
    problems.sort(key=lambda each: (each.line, each.column))
    return Numbers(tuple(names[place] for place in kept), matrix[:, kept], tuple(left_out), tuple(problems), raw.header)


def wrong(text: str) -> str | None:
    """What keeps a text from being a number that can be reckoned with, if something does."""
    try:
        value = float(text)
    except ValueError:
        return "is no number"
    return _TOO_LARGE if not math.isfinite(value) or abs(value) > LARGEST else None


def matrix_of(names: Sequence[str], rows: Sequence[Mapping[str, float | None]], where: str = "rows") -> Floats:
    """Rows of a request as (N, columns); None is what is not known.

    Raises `InvalidInput` for the first column that is missing or not among the names, and the first number out of
    bounds; `param` is its path below `where`.
    """
    known = frozenset(names)
    found = np.empty((len(rows), len(names)))
    for place, row in enumerate(rows):
        if further := sorted(row.keys() - known):
            told = f"{further[0]} is no column that the model meets: {', '.join(names)}"
            raise InvalidInput(told, param=f"{where}.{place}.{further[0]}")
        for column, name in enumerate(names):
            if name not in row:
                told = f"{name} is missing; null stands for what is not known"
                raise InvalidInput(told, param=f"{where}.{place}.{name}")
            value = row[name]
            if value is not None and abs(value) > LARGEST:
                raise InvalidInput(f"{name} {_TOO_LARGE}", param=f"{where}.{place}.{name}")
            found[place, column] = np.nan if value is None else value
    return found


def _text(raw: Raw, name: str) -> str | None:
    """Why a column is none of numbers, if it is not."""
    told = [(row.line, value) for row in raw.rows if (value := row.values[name]) is not None]
    if not told:
        return "is never known"
    others = [(line, value) for line, value in told if wrong(value) is not None]
    if len(told) - len(others) >= _NUMBERS * len(told):
        return None
    line, value = others[0]
    most = "" if len(others) == len(told) else f" in {len(others):,} of {len(told):,} rows"
    return f"is text{most}, such as {value[:40]!r} in line {line}"


def _useless(values: Floats) -> str | None:
    """Why a column of numbers says nothing of what is usual, if it does not."""
    known = values[~np.isnan(values)]
    if len(known) < LEAST_KNOWN:
        return f"is known in {len(known):,} sound rows, and {LEAST_KNOWN} are the least"
    steps = np.diff(known)
    if (steps > 0).all() or (steps < 0).all():
        return f"only ever {'rises' if steps[0] > 0 else 'falls'}: it names or dates the rows"
    whole = (known % 1 == 0).all() and len(np.unique(known)) == len(known)
    if whole and known.max() - known.min() < 2 * len(known):
        return "is another whole number in each row: it names them"
    return None
