"""What waits on the device for the network: intents, what became of them, and the records they are about.

One SQLite file in the device's folder. What a call has returned from survives a killed process and a dead battery
(`synchronous=FULL`): somebody was told that it is noted down.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from core.errors import Conflict, NotFound
from core.intents import FINAL, Intent, Records, Settlement, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS intents (
    id TEXT PRIMARY KEY, place TEXT NOT NULL UNIQUE, intent TEXT NOT NULL, settlement TEXT, dropped INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS records (one INTEGER PRIMARY KEY CHECK (one = 1), content TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An intent on the device. Without a settlement it has not been heard of yet; `dropped`: the person let it be."""

    intent: Intent
    settlement: Settlement | None
    dropped: bool

    @property
    def ended(self) -> bool:
        """Whether nothing comes of it any more."""
        return self.dropped or (self.settlement is not None and self.settlement.state in FINAL)


class Outbox:
    """The device's pending work. Safe to share between threads, which take turns."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when absent."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
        path.chmod(0o600)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def add(self, place: str, intent: Intent) -> Kept:
        """Keep the intent. A place has one: who comes again, after a crash, gets the first, however it stands."""
        with self._transaction() as run:
            run.execute(
                "INSERT INTO intents VALUES (?, ?, ?, NULL, 0) ON CONFLICT (place) DO NOTHING",
                (str(intent.id), place, intent.model_dump_json()),
            )
        found = self.at(place)
        assert found is not None, "it has just been put there"  # noqa: S101
        return found

    def at(self, place: str) -> Kept | None:
        """The intent of a place."""
        return next(self._read("WHERE place = ?", place), None)

    def get(self, intent: UUID) -> Kept:
        """An intent by its id. Raises `NotFound`."""
        found = next(self._read("WHERE id = ?", str(intent)), None)
        if found is None:
            raise NotFound(f"no intent {intent} on this device", param="id")
        return found

    def all(self) -> list[Kept]:
        """Every intent, in the order in which they were made."""
        return list(self._read(""))

    def unsettled(self) -> list[Intent]:
        """Those that are to be sent, in their order. One that waits for the person is not, until they agree."""
        return [each.intent for each in self.all() if not each.ended and not _asks(each)]

    def asking(self) -> list[Kept]:
        """Those about which the person has to be asked."""
        return [each for each in self.all() if not each.ended and _asks(each)]

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Note down what became of intents, all at once; an end that is known stays."""
        with self._transaction() as run:
            for each in settlements:
                (known,) = run.execute("SELECT settlement FROM intents WHERE id = ?", (str(each.id),)).fetchone() or (
                    None,
                )
                if known is None or Settlement.model_validate_json(known).state not in FINAL:
                    update = "UPDATE intents SET settlement = ? WHERE id = ?"
                    run.execute(update, (each.model_dump_json(), str(each.id)))

    def confirm(self, intent: UUID) -> Intent:
        """The person agrees to what they were asked: it is sent again, saying so. Raises `NotFound`, `Conflict`."""
        kept = self._asked(intent)
        agreed = kept.intent.model_copy(update={"confirmed": kept.settlement.version if kept.settlement else None})
        with self._transaction() as run:
            update = "UPDATE intents SET intent = ?, settlement = NULL WHERE id = ?"
            run.execute(update, (agreed.model_dump_json(), str(intent)))
        return agreed

    def drop(self, intent: UUID) -> None:
        """The person lets it be. Raises `NotFound`, and `Conflict` for one that may be under way already."""
        self._asked(intent)
        with self._transaction() as run:
            run.execute("UPDATE intents SET dropped = 1 WHERE id = ?", (str(intent),))

    def keep(self, records: Records) -> None:
        """Keep the records that the server gave, in place of those before."""
        with self._transaction() as run:
            run.execute("INSERT OR REPLACE INTO records VALUES (1, ?)", (records.model_dump_json(),))

    def records(self) -> Records | None:
        """The records of the last time; None when there was none."""
        with self._lock:
            row = self._connection.execute("SELECT content FROM records").fetchone()
        return None if row is None else Records.model_validate_json(row[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _asked(self, intent: UUID) -> Kept:
        kept = self.get(intent)
        if kept.ended or not _asks(kept):
            raise Conflict(f"nothing is asked about {intent}", param="id")
        return kept

    def _read(self, where: str, *given: str) -> Iterator[Kept]:
        with self._lock:
            # Ids are UUIDv7: their order is that of time.
            query = f"SELECT intent, settlement, dropped FROM intents {where} ORDER BY id"  # noqa: S608 - our own words
            rows = self._connection.execute(query, given).fetchall()
        for intent, settlement, dropped in rows:
            settled = None if settlement is None else Settlement.model_validate_json(settlement)
            yield Kept(Intent.model_validate_json(intent), settled, bool(dropped))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _asks(kept: Kept) -> bool:
    return kept.settlement is not None and kept.settlement.state is State.NEEDS_USER
