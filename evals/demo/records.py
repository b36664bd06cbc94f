"""The company's records before and after, and whether what lies between is what was expected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

# Imported for their tables.
import agents.systems.tables  # noqa: F401
from core.database import Base, Database
from core.errors import InvalidInput
from evals.demo.tasks import Known

FACTS = Path(__file__).parent.parent / "data" / "demo" / "facts.toml"
JUDGED = ("customers", "orders", "tickets", "ticket_notes", "products", "purchase_orders", "purchase_order_lines")
"""The tables that are compared. The history of an order (`order_changes`) follows from the order."""
_NAMES = frozenset({"id", "po_id", "ticket_id"})

Record = Mapping[str, str | None]
Records = Mapping[str, Mapping[str, Record]]


async def facts(database: Database, wanted: Mapping[str, str]) -> Known:
    """The rows of the named queries: `{"order": "shipped#2"}` gives the columns of the second shipped order.

    Raises `InvalidInput` for a query that is not there, or a row that it does not have.
    """
    queries = dict(chain.from_iterable(group.items() for group in tomllib.loads(FACTS.read_text()).values()))
    found: dict[str, str] = {}
    async with database.session() as session:
        for name, reference in wanted.items():
            query, _, place = reference.partition("#")
            if query not in queries:
                raise InvalidInput(f"{FACTS.name} has no query {query!r}", param="facts")
            rows = (await session.execute(text(queries[query]))).mappings().all()
            if len(rows) < int(place or 1):
                raise InvalidInput(f"the query {query} gives {len(rows)} rows, and {reference} is asked for")
            found |= {f"{name}.{column}": str(value) for column, value in rows[int(place or 1) - 1].items()}
    return Known(found)


async def snapshot(database: Database, tenant: str) -> Records:
    """Every judged record as it is now: table → its key without the tenant, joined by `/` → column → text."""
    found: dict[str, dict[str, Record]] = {}
    async with database.session() as session:
        for name in JUDGED:
            table = Base.metadata.tables[name]
            key = [column.name for column in table.primary_key if column.name != "tenant"]
            rows = (await session.execute(select(table).where(table.c.tenant == tenant))).mappings()
            records = ({str(column): _written(value) for column, value in row.items()} for row in rows)
            found[name] = {"/".join(str(record[column]) for column in key): record for record in records}
    return found


def _written(value: Any) -> str | None:
    match value:
        case None:
            return None
        case Decimal():
            return f"{value:.2f}"
        case datetime() | date():
            return value.isoformat()
    return str(value)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was to change and did not, and what changed though it was not to, in words."""

    missing: Sequence[str]
    unexpected: Sequence[str]


def judge(
    before: Records, after: Records, changed: Mapping[str, Mapping[str, Any]], new: Mapping[str, Sequence[Any]]
) -> Verdict:
    """Hold the difference against what is expected of it (see `Task`)."""
    missing, unexpected = list[str](), list[str]()
    for table in JUDGED:
        expected = changed.get(table, {})
        for key in before[table].keys() - after[table].keys():
            unexpected.append(f"{table} {key} is gone")
        for key in sorted(before[table].keys() & after[table].keys()):
            told = _row(f"{table} {key}", before[table][key], after[table][key], expected.get(key, {}))
            for lacks, what in told:
                (missing if lacks else unexpected).append(what)
        missing += [f"{table} {key} is not there" for key in expected.keys() - before[table].keys()]
        rows = [after[table][key] for key in sorted(after[table].keys() - before[table].keys())]
        for wanted in new.get(table, ()):
            fitting = next((row for row in rows if _has(row, wanted)), None)
            # A row that is what it should be, but not yet how it should be, is no wrong effect.
            name = {each: wanted[each] for each in _NAMES & wanted.keys()}
            begun = next((row for row in rows if name and _has(row, name)), None)
            if fitting is None:
                missing.append(f"{table}: no new row with {dict(wanted)}{f', but {dict(begun)}' if begun else ''}")
            if (found := fitting or begun) is not None:
                rows.remove(found)
        unexpected += [f"{table}: a new row {dict(row)}" for row in rows]
    return Verdict(missing, unexpected)


def _row(where: str, before: Record, after: Record, expected: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """What is wrong with a row, each with whether something is missing."""
    for column in {**after, **expected}:
        was, now = before.get(column), after.get(column)
        right = column in expected and (_is(now, expected[column]) or _grown(was, now, expected[column]))
        if now != was and not right:
            yield False, f"{where}: {column} was {was} and is {now}"
        if column in expected and not right:
            yield True, f"{where}: {column} is {now}, not {expected[column]}"


def _has(row: Record, wanted: Mapping[str, Any]) -> bool:
    return all(_is(row.get(column), value) for column, value in wanted.items())


def _is(value: str | None, expected: str | list[str] | None) -> bool:
    if isinstance(expected, list):
        return value in expected
    return expected == "*" or value == expected


def _grown(was: str | None, now: str | None, expected: Any) -> bool:
    if was is None or now is None or not (isinstance(expected, str) and expected.startswith("+")):
        return False
    more = expected.removeprefix("+")
    return more.isdigit() and int(now) - int(was) == int(more)
