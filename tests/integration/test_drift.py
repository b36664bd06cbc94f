"""The watch over the model of fraud on both databases: once at a time, quiet, and told when something moves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import delete, select, update
from typer.testing import CliRunner

from app.cli import cli
from app.drift.checks import Checks, New, State
from app.drift.metrics import DriftCollector
from app.drift.tables import DriftAlertRow, DriftWatchRow
from app.drift.watching import LEASE, Watch
from app.drift.windows import decided
from app.fraud.served import MODEL
from app.workspace import TENANT
from core.database import Database, now
from core.errors import NotFound
from core.registry import Registry
from core.settings import DriftSettings
from core.types import Principal, Role
from tabular.drift.results import About, Achieved, Apart, Check, Compared, Finding, Usual
from tabular.fraud.decisions import DecisionRow, Outcome
from tabular.fraud.events import Transaction
from tabular.fraud.live import LiveFraud
from tabular.fraud.scoring import Scorer
from tests.integration.drifting import inflated, promoted, serve, world

TOLD = DriftSettings(webhook_url="http://127.0.0.1:9/drift", webhook_secret="sixteen letters!")
STAFF = Principal("key_s", TENANT, Role.STAFF)


def finding(name: str, about: About = About.FEATURE) -> Finding:
    return Finding(name, about, "psi", 0.5, 0.1, 1e-6, f"{name} moved")


COLUMN = Compared("x", False, ("a", "b"), (0.5, 0.5), (0.5, 0.5), Apart(0, 0, 1), None, Usual(1, 1, 1, 8))
FIGURE = Achieved("auc", 0.9, 0.8, 1.0, 0.9, 0.01, 0.5)


def new(*names: str, check: Check | None = None, **other: Any) -> New:
    made = check or Check((COLUMN,), (FIGURE,), tuple(finding(each) for each in names))
    return replace(New(TENANT, MODEL, 1, now(), now(), 900, 800, made), **other)


async def alerts(database: Database) -> list[tuple[str, str]]:
    async with database.session() as session:
        rows = await session.scalars(select(DriftAlertRow).order_by(DriftAlertRow.id))
        bodies = [orjson.loads(each.body) for each in rows.all()]
    return [(each["event"], each["finding"]["name"]) for each in bodies]


async def test_a_window_without_a_shift_is_quiet_and_one_with_speaks_once(database: Database, tmp_path: Path) -> None:
    watch = Watch(database, await promoted(database, tmp_path), TOLD)
    count = await serve(database)
    quiet = await watch.check(TENANT, MODEL)
    assert (quiet.state, quiet.findings, quiet.of.check.unknown) == (State.QUIET, (), ())
    assert quiet.of.version == 1
    assert quiet.of.rows + quiet.of.matured == pytest.approx(count, abs=3)
    assert {each.name for each in quiet.of.check.compared} >= {"amount", "score", "card", "terminal"}
    assert {each.name for each in quiet.of.check.achieved} == {"auc", "average precision", "calibration"}
    async with database.session() as session:
        await session.execute(delete(DecisionRow))
    await serve(database, change=inflated)
    moved = await watch.check(TENANT, MODEL)
    assert moved.state is State.DRIFT
    names = {each.finding.name for each in moved.findings}
    assert {"amount", "card_mean_above"} <= names
    told = await alerts(database)
    assert sorted(told) == sorted(("started", each) for each in names)
    # Nothing more has moved: nobody is told anything.
    again = await watch.check(TENANT, MODEL)
    assert {each.since for each in again.findings} == {moved.at}
    assert await alerts(database) == told
    shown = generate_latest(_collected(watch)).decode()
    assert f'wayside_drift_findings{{about="feature",model="fraud"}} {float(len(names))}' in shown
    assert 'wayside_drift_psi{column="amount",model="fraud"}' in shown
    assert 'wayside_drift_figure{figure="auc",model="fraud"}' in shown


def _collected(watch: Watch) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DriftCollector(watch))
    return registry


async def test_without_a_champion_or_a_reference_that_is_what_is_told(database: Database, tmp_path: Path) -> None:
    watch = Watch(database, Registry.of(database, tmp_path), DriftSettings(), poll=0.01)
    none = await watch.check(TENANT, MODEL)
    assert (none.state, none.of.version, none.of.check.unknown) == (State.UNKNOWN, None, ("there is no champion",))
    await promoted(database, tmp_path, reference=False)
    bare = await watch.check(TENANT, MODEL)
    assert bare.of.check.unknown == ("version 1 has no reference: train it anew",)
    with pytest.raises(NotFound, match="no watched model 'churn'"):
        await watch.check(TENANT, "churn")
    # Nothing was decided yet: that, too, is told.
    await promoted(database, tmp_path)
    empty = await watch.check(TENANT, MODEL)
    assert (empty.state, empty.of.version, len(empty.of.check.unknown)) == (State.UNKNOWN, 2, 2)


async def test_one_gateway_of_several_looks(database: Database, tmp_path: Path) -> None:
    registry = await promoted(database, tmp_path)
    watches = [Watch(database, registry, DriftSettings(every_hours=1), poll=0.02) for _ in range(3)]
    running = [asyncio.create_task(each.run()) for each in watches]
    while not all(each.latest for each in watches):
        await asyncio.sleep(0.02)
    for each in running:
        each.cancel()
    await asyncio.wait(running)
    [kept] = await watches[0].checks.list(TENANT)
    # The others show the metrics of what one of them found.
    assert {each.latest[MODEL].id for each in watches} == {kept.id}
    async with database.session() as session:
        row = await session.get(DriftWatchRow, (TENANT, MODEL))
    assert row is not None
    assert timedelta(minutes=50) < row.next_at - now() < timedelta(hours=1)


async def test_a_gateway_that_dies_while_it_looks_is_stood_in_for(database: Database) -> None:
    checks = Checks(database, alerting=False)
    claimed = await asyncio.gather(*(checks.claim(TENANT, MODEL, LEASE) for _ in range(5)))
    assert sorted(claimed) == [False] * 4 + [True]
    assert not await checks.claim(TENANT, MODEL, LEASE)
    async with database.session() as session:
        await session.execute(update(DriftWatchRow).values(next_at=now() - timedelta(seconds=1)))
    assert await checks.claim(TENANT, MODEL, LEASE)


async def test_what_starts_and_what_ends_is_told_once(database: Database) -> None:
    checks = Checks(database, alerting=True)
    soon = now() + timedelta(hours=1)
    first = await checks.record(new("a", "b"), soon)
    await checks.record(new("b", "c"), soon)
    await checks.record(new("b", "c"), soon)
    assert await alerts(database) == [("started", "a"), ("started", "b"), ("ended", "a"), ("started", "c")]
    latest = await checks.latest(TENANT, MODEL)
    assert latest is not None
    assert [(each.finding.name, each.since == first.at) for each in latest.findings] == [("b", True), ("c", False)]
    # Where a check could not look, nothing has ended.
    blind = await checks.record(new(check=Check((), (FIGURE,), (), ("what it meets: nothing",))), soon)
    assert [(each.finding.name, each.judged) for each in blind.findings] == [("b", False), ("c", False)]
    assert blind.state is State.DRIFT
    # Another version of the model has another reference.
    await checks.record(new("c", version=2), soon)
    assert (await alerts(database))[4:] == [("ended", "b"), ("ended", "c"), ("started", "c")]
    assert (await checks.record(new(version=2, check=Check()), soon)).state is State.DRIFT
    assert (await checks.record(new(version=2), soon)).state is State.QUIET
    assert (await checks.record(new(version=2, check=Check()), soon)).state is State.UNKNOWN


async def test_two_checks_at_once_tell_once(database: Database) -> None:
    checks = Checks(database, alerting=True)
    await asyncio.gather(*(checks.record(new("a"), now()) for _ in range(4)))
    assert await alerts(database) == [("started", "a")]


async def test_checks_are_the_tenant_s_own_and_come_in_pages(database: Database) -> None:
    checks = Checks(database, alerting=False)
    made = [await checks.record(new(), now()) for _ in range(3)]
    await checks.record(new(tenant="rival"), now())
    assert [each.id for each in await checks.list(TENANT, limit=2)] == [made[2].id, made[1].id]
    assert [each.id for each in await checks.list(TENANT, after=made[1].id)] == [made[0].id]
    assert await checks.list(TENANT, model="churn") == []
    assert await checks.get(TENANT, made[0].id) == made[0]
    with pytest.raises(NotFound):
        await checks.get("rival", made[0].id)


async def test_of_very_many_decisions_a_part_is_looked_at(database: Database) -> None:
    count = await serve(database)
    begin, end = 0, world().now
    every = await decided(database, TENANT, begin, end)
    part = await decided(database, TENANT, begin, end, most=count // 3)
    assert (len(every), every.total, part.total) == (count, count, count)
    assert len(part) == pytest.approx(count / 4, abs=2)
    assert every.vectors.shape == (count, 29)
    assert every.fraud.any()
    assert len(await decided(database, "rival", begin, end)) == 0


async def test_a_part_is_looked_at_whatever_else_has_numbers_of_the_log(database: Database) -> None:
    live = LiveFraud(database, lambda _: Scorer(None))
    moment = int(now().timestamp() * 1000)
    for number in range(20):
        # Each report has the number between two payments'.
        await live.score(TENANT, Transaction(f"T{number}", moment - number, "C", "P", 100))
        await live.report(STAFF, f"T{number}", Outcome.GENUINE)
    assert len(await decided(database, TENANT, 0, moment + 1, most=10)) == 10


async def test_the_command_looks_and_writes_the_report(tmp_path: Path) -> None:
    workspace, file = tmp_path / "workspace", tmp_path / "out" / "drift.html"
    line = ["tabular", "drift", "fraud", "--html", str(file), "--workspace", str(workspace)]
    done = await asyncio.to_thread(CliRunner().invoke, cli, line)
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "fraud, no version: 0 decisions, 0 with a known outcome: unknown",
            "unknown: there is no champion",
        ],
    )
    database = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    await promoted(database, workspace)
    await serve(database, change=inflated)
    done = await asyncio.to_thread(CliRunner().invoke, cli, line)
    assert done.exit_code == 1
    assert "feature: amount" in done.output
    assert "things have moved" in file.read_text()
    assert len(await Checks(database, alerting=False).list(TENANT)) == 2
    await database.close()
