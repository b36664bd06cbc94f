"""The event log on both databases: what is read from a moment on, and how."""

from __future__ import annotations

from pathlib import Path

from core.database import Database
from tabular.eventlog import PAGE, EventLog
from tabular.events import Event
from tests.integration.planned import asked, on_sqlite, plans

TENANT = "harbor"


async def append(database: Database, known: list[int], kind: str = "use") -> None:
    log = EventLog(database)
    async with database.session() as session:
        last = await log.lock(session, TENANT)
        events = [Event(kind, f"{kind}-{last + place}", 0, at, {}) for place, at in enumerate(known)]
        await log.append(session, TENANT, last, events)


async def read(database: Database, known_from: int, after: int = 0) -> list[int]:
    found = EventLog(database).read(TENANT, ["use"], after=after, known_from=known_from)
    return [each.number async for each in found]


async def test_what_was_known_from_a_moment_on(database: Database) -> None:
    # An import in between: known long ago, and numbered late.
    await append(database, [10, 20, 30, 5, 6, 40])
    await append(database, [50], "other")
    assert await read(database, 0) == [1, 2, 3, 4, 5, 6]
    assert await read(database, 20) == [2, 3, 6]
    assert await read(database, 20, after=3) == [6]
    assert await read(database, 45) == []
    assert await read(database, 60) == []


async def test_a_long_log_is_not_looked_through_for_its_end(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path) as database:
        await append(database, list(range(1, 2 * PAGE + 1)))
        with asked(database) as questions:
            assert len(await read(database, 2 * PAGE - 9)) == 10
        how = [plan for plan in await plans(database, questions) if "ix_events_known_at" in plan]
        assert how == ["SEARCH events USING INDEX ix_events_known_at (tenant=? AND known_at>?)"]
        assert 2 * PAGE - 10 in questions[-1].parameters
