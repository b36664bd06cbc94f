"""Models that grow old are trained by one gateway of several, in a child; what fails is tried again later."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.retraining import Retraining, RetrainingRow
from core.database import Database, now
from core.registry import Registry
from core.settings import Settings, TabularSettings
from tests.fakes.candidates import MODEL, candidate, measured

DAY = timedelta(days=1)


class Gateway:
    """One supervisor; `said` are the outcomes that it counted, and its children write a line each into `log`."""

    def __init__(self, database: Database, folder: Path, script: str, **settings: Any) -> None:
        self.said: list[tuple[str, str]] = []
        self.log = folder / "log"
        self.registry = Registry.of(database, folder)
        given = Settings(workspace=folder, tabular=TabularSettings(retrain={MODEL: DAY}, **settings))
        wrote = f"import os; open({str(self.log)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"

        def command(_model: str, _settings: Settings) -> list[str]:
            return [sys.executable, "-c", wrote + script]

        self.supervisor = Retraining(
            database,
            self.registry,
            given,
            lambda *said: self.said.append(said),
            tenant="default",
            command=command,
        )

    def children(self) -> list[int]:
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []


def registering(database: Database, folder: Path, content: str) -> str:
    """A script that registers a version."""
    arguments = [database.dsn, str(folder), "register", content]
    return (
        f"import sys; os.execv(sys.executable, [sys.executable, '-m', 'tests.integration.promoting', *{arguments!r}])"
    )


async def row(database: Database) -> RetrainingRow:
    async with database.session() as session:
        return (await session.scalars(select(RetrainingRow))).one()


async def test_of_two_gateways_one_trains(database: Database, tmp_path: Path) -> None:
    script = "import time; time.sleep(0.5)"
    both = [Gateway(database, tmp_path, script) for _ in range(2)]
    await asyncio.gather(*(each.supervisor.sweep() for each in both))
    assert len(both[0].children()) == 1
    assert [said for each in both for said in each.said] == [(MODEL, "trained")]
    held = await row(database)
    assert (held.failures, held.held_until) == (0, None)
    # Nothing came of it, and it waits its day like the others.
    await both[0].supervisor.sweep()
    assert len(both[0].children()) == 1


async def test_a_failure_is_counted_and_not_repeated_at_once(database: Database, tmp_path: Path) -> None:
    gateway = Gateway(database, tmp_path, "import sys; sys.exit('no_sales: there are none')")
    await gateway.supervisor.sweep()
    await gateway.supervisor.sweep()
    assert (gateway.said, len(gateway.children())) == ([(MODEL, "failed")], 1)
    assert (await row(database)).failures == 1
    async with database.session() as session:
        await session.execute(update(RetrainingRow).values(begun_at=now() - timedelta(hours=1)))
    await gateway.supervisor.sweep()
    assert (len(gateway.children()), (await row(database)).failures) == (2, 2)


async def test_a_training_that_takes_too_long_is_killed(database: Database, tmp_path: Path) -> None:
    gateway = Gateway(database, tmp_path, "import time; time.sleep(60)", patience=timedelta(seconds=2))
    await gateway.supervisor.sweep()
    assert gateway.said == [(MODEL, "failed")]
    with pytest.raises(ProcessLookupError):
        os.kill(gateway.children()[0], 0)


async def test_a_gateway_that_ends_kills_its_child_and_another_takes_over_later(
    database: Database, tmp_path: Path
) -> None:
    gateway = Gateway(database, tmp_path, "import time; time.sleep(60)")
    running = asyncio.create_task(gateway.supervisor.run())
    while not gateway.children():
        await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(gateway.children()[0], 0)
    # It counts as a failure, and is held until nobody can be at it any more.
    held = await row(database)
    assert held.failures == 1 and held.held_until is not None
    other = Gateway(database, tmp_path, "")
    await other.supervisor.sweep()
    assert other.said == []
    async with database.session() as session:
        passed = now() - timedelta(hours=2)
        await session.execute(update(RetrainingRow).values(begun_at=passed, held_until=passed))
    await other.supervisor.sweep()
    assert other.said == [(MODEL, "trained")]


@pytest.mark.parametrize(("champion", "outcome", "in_force"), [(0.8, "promoted", 2), (0.99, "refused", 1)])
async def test_what_was_trained_is_promoted_through_the_gate(
    database: Database, tmp_path: Path, champion: float, outcome: str, in_force: int
) -> None:
    gateway = Gateway(database, tmp_path, registering(database, tmp_path, "new"), promote=True)
    metrics = {"tools/exact": measured(champion)}
    await gateway.registry.register(candidate(tmp_path / "old", "old", metrics=metrics), "local:ada")
    await gateway.registry.promote(MODEL, 1, "local:ada", "the first")
    # The first version is young: nothing is due.
    await gateway.supervisor.sweep()
    assert gateway.children() == []
    await _grown_old(database)
    await gateway.supervisor.sweep()
    assert gateway.said == [(MODEL, outcome)]
    standing = await gateway.registry.standing(MODEL)
    assert (standing.versions, standing.champion) == (2, in_force)
    await gateway.supervisor.sweep()
    assert len(gateway.children()) == 1


async def test_without_a_schedule_nothing_is_looked_at(database: Database, tmp_path: Path) -> None:
    idle = Retraining(
        database, Registry.of(database, tmp_path), Settings(workspace=tmp_path), lambda *_: None, tenant="default"
    )
    running = asyncio.create_task(idle.run())
    await asyncio.sleep(0.05)
    assert not running.done()
    running.cancel()
    async with database.session() as session:
        assert (await session.scalars(select(RetrainingRow))).all() == []


async def _grown_old(database: Database) -> None:
    from core.registry_tables import VersionRow

    async with database.session() as session:
        await session.execute(update(VersionRow).values(created_at=now() - DAY))
