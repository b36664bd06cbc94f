"""Old transactions from a file into the event log: what is sound goes in, what is not comes out with its reason."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from app.fraud.payments import Payment
from core.database import Database
from core.errors import InvalidInput
from tabular.eventlog import EventLog
from tabular.events import Event
from tabular.fraud.decisions import decided_about
from tabular.fraud.events import Transaction
from tabular.fraud.records import LABEL, TRANSACTION, history

_CHUNK = 5_000
COLUMNS = ("id", "at", "card", "terminal", "amount", "fraud")


class Row(Payment):
    """A line of the file: a payment, and whether it was fraud, as 0 or 1."""

    fraud: bool


@dataclass(slots=True)
class Read:
    """What a file holds: its sound rows in the order of time, and every other line with what is wrong with it."""

    rows: list[tuple[Transaction, bool]] = field(default_factory=list)
    rejected: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)


def read_history(path: Path) -> Read:
    """Read a CSV file with a header. Raises `InvalidInput` for a file without the columns, or that is no CSV."""
    found = Read()
    seen: dict[str, int] = {}
    try:
        # Spreadsheets begin a file with a mark that is not part of its first name.
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file, strict=True)
            if missing := set(COLUMNS) - set(lines.fieldnames or ()):
                raise InvalidInput(f"{path} has no column {', '.join(sorted(missing))}", param="file")
            for line in lines:
                number, plain = lines.line_num, {str(key): str(value or "") for key, value in line.items()}
                try:
                    row = Row.model_validate(plain)
                except ValidationError as problem:
                    first = problem.errors()[0]
                    found.rejected.append((number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}", plain))
                    continue
                if row.id in seen:
                    found.rejected.append((number, f"id: line {seen[row.id]} has it already", plain))
                    continue
                seen[row.id] = number
                found.rows.append((row.transaction(), row.fraud))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}", param="file") from problem
    found.rows.sort(key=lambda each: each[0].at)
    return found


def write_rejected(found: Read, path: Path) -> None:
    """Write the lines that were not taken, with their number and what is wrong, so that they can be mended."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, ["line", "wrong", *COLUMNS], extrasaction="ignore", restval="")
        lines.writeheader()
        for number, wrong, plain in found.rejected:
            lines.writerow({"line": number, "wrong": wrong, **plain})


@dataclass(frozen=True, slots=True)
class Appended:
    """How many transactions were appended and how many were known, and the frauds that were left to reports."""

    transactions: int = 0
    known: int = 0
    frauds_left: int = 0

    def __add__(self, other: Appended) -> Appended:
        """Of both."""
        return Appended(
            self.transactions + other.transactions,
            self.known + other.known,
            self.frauds_left + other.frauds_left,
        )


async def append_history(
    database: Database, tenant: str, rows: Iterable[tuple[Transaction, bool]], advance: Callable[[int], None]
) -> Appended:
    """Append old transactions, each known when it happened and each fraud a week later, to the tenant's log.

    What the log has already is left out, so that an import that was stopped goes on. So are the frauds among payments
    that were decided about here: what became of those is what people report, and a fraud would count twice.
    """
    log, appended = EventLog(database), Appended()
    for chunk in _chunks(history(rows)):
        async with database.session() as session:
            last = await log.lock(session, tenant)
            there: set[tuple[str, str]] = set()
            for kind in {each.kind for each in chunk}:
                ids = [each.id for each in chunk if each.kind == kind]
                there |= {(kind, each) for each in await log.known(session, tenant, kind, ids)}
            about = [each.body["transaction"] for each in chunk if each.kind == LABEL]
            decided = await decided_about(session, tenant, about) if about else set[str]()
            left = [each for each in chunk if each.kind == LABEL and each.body["transaction"] in decided]
            there |= {(each.kind, each.id) for each in left}
            fresh = [each for each in chunk if (each.kind, each.id) not in there]
            await log.append(session, tenant, last, fresh)
        taken = sum(each.kind == TRANSACTION for each in fresh)
        appended += Appended(taken, sum(kind == TRANSACTION for kind, _ in there), len(left))
        advance(sum(each.kind == TRANSACTION for each in chunk))
    return appended


def _chunks(events: Iterator[Event]) -> Iterator[list[Event]]:
    while chunk := list(islice(events, _CHUNK)):
        yield chunk
