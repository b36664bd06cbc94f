"""A model of fraud with its reference, and weeks of payments that it decided about, for tests of the watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy import update

from app.fraud.training import candidate, train_fraud
from core.database import Database
from core.registry import Registry
from core.versions import Candidate
from tabular.eventlog import EventLog
from tabular.features import replay
from tabular.fraud.costs import Band
from tabular.fraud.decisions import DecisionRow, Outcome, Recorded, record
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.features import DELAY, FraudFeatures
from tabular.fraud.records import fraud_event, history
from tabular.fraud.scoring import Decision
from tests.unit.tabular.fraud.making import made

DAYS, COUNT = 122, 17_000
SERVED = 14
"""The last days, which the model decided about."""

Change = Callable[[Transaction], Transaction]


@dataclass(frozen=True)
class World:
    """When it is, what happened before the model was there, and what happened since, with whether it was fraud."""

    now: int
    past: Sequence[tuple[Transaction, bool]]
    served: Sequence[tuple[Transaction, bool]]


@cache
def world() -> World:
    """Payments that end a minute ago."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    drawn = made(COUNT, DAYS)
    shift = now - 60_000 - drawn[-1][0].at
    rows = [(replace(use, at=use.at + shift), fraud) for use, fraud in drawn]
    begin = now - SERVED * DAY
    return World(now, [each for each in rows if each[0].at < begin], [each for each in rows if each[0].at >= begin])


@cache
def trained() -> Candidate:
    """The model as a candidate, trained on the past through an event log of its own."""
    folder = Path(mkdtemp(prefix="wayside-drift-"))

    async def make() -> Candidate:
        database = Database(f"sqlite+aiosqlite:///{folder / 'log.db'}")
        await database.migrate()
        log = EventLog(database)
        begin = world().now - SERVED * DAY
        async with database.session() as session:
            # What is known by then of the past.
            events = [each for each in history(world().past) if each.known_at < begin]
            await log.append(session, "default", await log.lock(session, "default"), events)
        made = await train_fraud(log, "default", now=begin, say=lambda _: None)
        await database.close()
        return candidate(made, folder / "files", "test")

    return asyncio.run(make())


async def promoted(database: Database, workspace: Path, *, reference: bool = True) -> Registry:
    """The model as the champion of a workspace, with or without its reference."""
    registry = Registry.of(database, workspace)
    made = await asyncio.to_thread(trained)
    if not reference:
        made = replace(made, files={name: path for name, path in made.files.items() if name != "reference.json"})
    version = await registry.register(made, "local:ada")
    champion = (await registry.standing(made.model)).champion
    if champion != version.number:
        await registry.promote(made.model, version.number, "local:ada", "because")
    return registry


def unchanged(use: Transaction) -> Transaction:
    """As it was."""
    return use


@cache
def decisions(change: Change) -> tuple[Sequence[Recorded], Sequence[str]]:
    """What was decided about what was served, the last week of it changed, and the ids of the frauds among it."""
    definition, decided = FraudFeatures(), list[Recorded]()
    begin, week = world().now - SERVED * DAY, world().now - DELAY
    rows = [(change(use) if use.at >= week else use, fraud) for use, fraud in world().served]
    events = (fraud_event(each) for each in history([*world().past, *rows]))
    wanted = replay(definition, events, lambda each: isinstance(each, Transaction) and each.at >= begin)
    for number, (use, vector) in enumerate(wanted, start=1):
        assert isinstance(use, Transaction)
        decision = Decision(use.id, Band.ALLOW, 0.1, (), (), vector, definition.version, "0" * 64)
        decided.append(Recorded(use, decision, number, datetime.now(UTC)))
    return decided, [use.id for use, fraud in rows if fraud]


async def serve(database: Database, tenant: str = "default", change: Change = unchanged) -> int:
    """Write down decisions about what was served, the last week of it changed; how many there are."""
    decided, frauds = decisions(change)
    async with database.session() as session:
        await record(session, tenant, decided)
        known = DecisionRow.tenant == tenant, DecisionRow.transaction.in_(frauds)
        await session.execute(update(DecisionRow).where(*known).values(outcome=Outcome.FRAUD.value))
    return len(decided)


def inflated(use: Transaction) -> Transaction:
    """Three times the amount."""
    return replace(use, cents=use.cents * 3)
