"""Tables from files: CSV, CSV under gzip, Parquet. Every value comes as text, so that all are judged alike."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zlib import error as ZlibError  # noqa: N812  (an exception, whatever zlib calls it)

from core.errors import InvalidInput, MissingExtra
from tabular.tasks.task import MISSING, Task


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its line (of Parquet: its place from 1), and its values by column, None where none is known.

    `plain` are the values as they stand in the file.
    """

    line: int
    values: Mapping[str, str | None]
    plain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ragged:
    """A line with another number of values than the header: no value can be told to be of a column."""

    line: int
    plain: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Raw:
    """What a file holds. `further` are its columns that nobody expected."""

    rows: list[Row]
    ragged: list[Ragged]
    header: tuple[str, ...]
    further: tuple[str, ...]


def known(value: object) -> str | None:
    """A value as text, or None for what stands where nothing is known."""
    text = "" if value is None else str(value).strip()
    return None if text in MISSING else text


def read_rows(path: Path, task: Task) -> Raw:
    """Read a task's file. Raises what `read_raw` does."""
    unused = (name for name, _ in task.unused)
    return read_raw(path, [*(each.name for each in task.columns), task.target.name], unused)


def read_raw(path: Path, wanted: Iterable[str] = (), unused: Iterable[str] = ()) -> Raw:
    """Read `.csv`, `.csv.gz` or `.parquet`. A folder stands for the one such file in it.

    Raises `InvalidInput` for a file that is neither, cannot be read, or lacks a column that is `wanted`; `MissingExtra`
    for Parquet without its reader.
    """
    path = _file(path)
    try:
        header, lines = _parquet(path) if path.suffix == ".parquet" else _csv(path)
        needed = set(wanted)
        if missing := needed - set(header):
            raise InvalidInput(f"{path} has no column {', '.join(sorted(missing))}", param="data")
        if len(set(header)) < len(header):
            raise InvalidInput(f"{path} names a column twice", param="data")
        expected = needed | set(unused)
        raw = Raw([], [], tuple(header), tuple(each for each in header if each not in expected))
        for line, values in lines:
            plain = tuple("" if value is None else str(value) for value in values)
            if len(plain) == len(header):
                raw.rows.append(
                    Row(line, {name: known(value) for name, value in zip(header, plain, strict=True)}, plain)
                )
            else:
                raw.ragged.append(Ragged(line, plain, f"has {len(plain)} values, not {len(header)}"))
    except (OSError, EOFError, ZlibError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}", param="data") from problem
    return raw


def _file(path: Path) -> Path:
    if path.is_dir():
        found = [each for each in sorted(path.iterdir()) if _readable(each)]
        if len(found) != 1:
            raise InvalidInput(f"{path} holds {len(found)} tables, and one is read", param="data")
        return found[0]
    if not _readable(path):
        raise InvalidInput(f"{path} is no .csv, .csv.gz or .parquet", param="data")
    return path


def _readable(path: Path) -> bool:
    # What an earlier check set aside lies beside its file.
    return path.name.endswith((".csv", ".csv.gz", ".parquet")) and not path.name.endswith(".rejected.csv")


Lines = Iterator[tuple[int, list[object]]]


def _csv(path: Path) -> tuple[list[str], Lines]:
    def lines() -> Lines:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            for values in reader:
                if values:
                    yield reader.line_num, list[object](values)

    found = lines()
    _, header = next(found, (0, []))
    return [str(each).strip() for each in header], found


def _parquet(path: Path) -> tuple[list[str], Lines]:
    if find_spec("pyarrow") is None:
        raise MissingExtra("pyarrow", "tabular")
    from pyarrow import ArrowInvalid, parquet

    try:
        table = parquet.read_table(path)
    except ArrowInvalid as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}", param="data") from problem
    columns = [column.to_pylist() for column in table.columns]
    return table.column_names, ((line, list(values)) for line, values in enumerate(zip(*columns, strict=True), start=1))
