"""Rows of a file that are not sound: what is wrong with each, and the file that they are set aside in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ENDINGS = (".csv.gz", ".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: its line, the column (empty: the whole line), why, and the line as it stands."""

    line: int
    column: str
    reason: str
    plain: tuple[str, ...]


def rejected_beside(file: Path) -> Path:
    """Where the rows of a file (or of a folder's one file) that are not sound are written: `NAME.rejected.csv`."""
    name = next((file.name.removesuffix(ending) for ending in _ENDINGS if file.name.endswith(ending)), file.name)
    return file.with_name(f"{name}.rejected.csv")


def write_rejected(header: Sequence[str], problems: Sequence[Problem], path: Path) -> None:
    """Write what was set aside: the line, the column, why, and the line's values as they stand in the file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["line", "column", "reason", *header])
        lines.writerows([each.line, each.column, each.reason, *each.plain] for each in problems)
