"""The desk's records and what has become of them, comparable by one hash.

A database is read once and shared; a state lays its own changes over it, so that a thousand replays cost a thousand
small dictionaries and not a thousand copies of everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, NotFound

Record = dict[str, Any]
TABLES = ("users", "products", "orders")
# An order's lines are a bag: which stands first means nothing, and depends on the order of an agent's arguments.
_BAGS = frozenset({"items"})


class Database:
    """Users, products and orders as they were before anybody called. Money is Decimal."""

    def __init__(self, tables: Mapping[str, Mapping[str, Record]]) -> None:
        self.tables = tables
        self.digests = {(table, key): digest(record) for table in TABLES for key, record in tables[table].items()}


class State:
    """A database with changes. Records from `find` and `all` are for reading; only those from `change` are written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed: dict[tuple[str, str], Record] = {}

    def find(self, table: str, key: str) -> Record:
        """The record as it is now. Raises `NotFound`."""
        if (changed := self._changed.get((table, key))) is not None:
            return changed
        if (record := self._database.tables[table].get(key)) is None:
            raise NotFound(f"no such entry among the {table}: {key!r}")
        return record

    def all(self, table: str) -> Iterator[Record]:
        """Every record of a table as it is now."""
        return (self.find(table, key) for key in self._database.tables[table])

    def change(self, table: str, key: str) -> Record:
        """The record, to be written. Raises `NotFound`."""
        return self._changed.setdefault((table, key), deepcopy(self.find(table, key)))

    def digest(self) -> str:
        """The hash of the state: on one database, equal for equal contents, however they came about."""
        now = {place: digest(record) for place, record in self._changed.items()}
        differing = sorted((place, each) for place, each in now.items() if each != self._database.digests[place])
        return hashlib.sha256(json.dumps(differing).encode()).hexdigest()


def digest(record: Record) -> str:
    """The hash of a record's canonical form: sorted keys, 46.8 equal to 46.80, lines of an order in no order."""
    return hashlib.sha256(_canonical(record).encode()).hexdigest()


def _canonical(value: Any, *, bag: bool = False) -> str:
    match value:
        case dict():
            fields = (f"{json.dumps(key)}:{_canonical(value[key], bag=key in _BAGS)}" for key in sorted(value))
            return "{" + ",".join(fields) + "}"
        case list() | tuple():
            parts = [_canonical(each) for each in value]
            return "[" + ",".join(sorted(parts) if bag else parts) + "]"
        case bool() | str() | None:
            return json.dumps(value)
        case int() | Decimal():
            # `normalize` writes 100 as 1E+2, and a zero may carry a sign; both are the same amount.
            return format(Decimal(value).normalize() + 0, "f")
    raise TypeError(f"a record holds a {type(value).__name__}, which has no canonical form")


def read_database(path: Path) -> Database:
    """Read `db.json`. Raises `InvalidInput` naming what is wrong with it."""
    try:
        tables = json.loads(path.read_bytes(), parse_float=Decimal)
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="data") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}", param="data") from error
    if not isinstance(tables, dict) or not all(isinstance(tables.get(table), dict) for table in TABLES):
        raise InvalidInput(f"{path} does not hold {', '.join(TABLES)}, each by id", param="data")
    return Database(tables)
