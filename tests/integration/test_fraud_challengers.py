"""Challengers of fraud in the registry: taken up, shown, and what ends their trials, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.fraud.served import MODEL, ServedFraud
from app.fraud.trials import FraudTrials
from core.database import Database
from core.gates import Interval, Metric
from core.registry import Registry
from core.settings import FraudSettings
from core.shelf import Shelf
from core.versions import Alias, Candidate, Kind, Lineage, Mode, Plan, Standing, Version
from tabular.features import replay
from tabular.fraud.decisions import Decisions
from tabular.fraud.events import Transaction
from tabular.fraud.examples import Examples, examples
from tabular.fraud.features import FraudFeatures
from tabular.fraud.live import LiveFraud
from tabular.fraud.model import FraudModel, train
from tabular.fraud.records import fraud_event, history
from tests.unit.tabular.fraud.making import made

TENANT = "harbor"
FEATURES = FraudFeatures()


@cache
def _examples() -> Examples:
    transactions = made(4_000)
    events = map(fraud_event, history(transactions))
    rows = [
        (event, vector)
        for event, vector in replay(FEATURES, events, lambda each: isinstance(each, Transaction))
        if isinstance(event, Transaction)
    ]
    return examples(rows, {each.id: fraud for each, fraud in transactions})


@cache
def _model(kind: str) -> FraudModel:
    rows = _examples()
    # One that takes every genuine payment for fraud, and one that learned from half of what the champion did.
    if kind == "inverted":
        rows = replace(rows, fraud=~rows.fraud)
    elif kind == "alike":
        rows = rows.where(np.arange(len(rows)) % 2 == 0)
    return train(rows, FEATURES.version, FEATURES.names)


async def registered(registry: Registry, folder: Path, kind: str) -> int:
    model = _model(kind)
    made = Candidate(
        model=MODEL,
        kind=Kind.TABULAR,
        files=model.save(folder / kind),
        lineage=Lineage("", kind, "none", "test"),
        metrics={"forward/auc": Metric(Interval(0.9, 0.8, 1.0, 100))},
    )
    return (await registry.register(made, "local:ada")).number


class Troubled(Registry):
    """A registry that calls `before`, if it is set, with the number of each version that it is asked for files of.

    `meanwhile`, if it is set, is called once when something was rolled back.
    """

    before: Callable[[int], Awaitable[None]] | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def rollback(self, *what: Any, **more: Any) -> Standing:
        found = await super().rollback(*what, **more)
        if (meanwhile := self.meanwhile) is not None:
            self.meanwhile = None
            await meanwhile()
        return found

    async def files(self, version: Version) -> dict[str, Path]:
        if self.before is not None:
            await self.before(version.number)
        return await super().files(version)


@dataclass
class House:
    """A registry with a champion, and what serves it."""

    registry: Troubled
    served: ServedFraud
    trials: FraudTrials
    live: LiveFraud
    later: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    registry = Troubled(database, Shelf(tmp_path / "models"))
    await registry.promote(MODEL, await registered(registry, tmp_path, "champion"), "ada", "the first")
    served = ServedFraud(database, registry, FraudSettings(), TENANT)
    await served.refresh()
    trials = FraudTrials(database, registry, served, clock=lambda: found.now())
    found = House(registry, served, trials, LiveFraud(database, served.scorer, clock=lambda: found.now()))
    return found


async def pay(house: House, count: int) -> None:
    at = int(house.now().timestamp() * 1000)
    rows = made(count, days=2, seed=9)
    latest = rows[-1][0].at
    await house.live.score_all(TENANT, [replace(each, at=at - latest + each.at) for each, _ in rows])


async def test_a_challenger_that_stops_nearly_everything_is_rolled_back_by_itself(house: House, tmp_path: Path) -> None:
    number = await registered(house.registry, tmp_path, "inverted")
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")
    await house.trials.refresh()
    await pay(house, 150)
    await house.trials.look()
    assert (await house.registry.standing(MODEL)).challenger == number
    await house.live.score_all(TENANT, [use_now(house, each) for each in range(80)])
    await house.trials.look()
    standing = await house.registry.standing(MODEL)
    assert (standing.challenger, standing.barred, standing.champion) == (None, (number,), 1)
    last = (await house.registry.history(MODEL))[-1]
    assert (last.action, last.by) == ("rollback", "wayside")
    assert [each.metric for each in last.findings] == ["stopped"]
    # And it is not asked any more.
    assert house.served.scorer(TENANT).trial is None


def use_now(house: House, number: int) -> Transaction:
    return Transaction(f"N{number}", int(house.now().timestamp() * 1000), f"D{number}", "P1", 3_000)


async def test_a_challenger_as_good_as_the_champion_stays_and_is_shown_on_every_payment(
    house: House, tmp_path: Path
) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.CANARY, 50), "ada", "to see")
    await house.trials.refresh()
    await pay(house, 400)
    house.later = timedelta(days=9)
    await house.trials.look()
    assert (await house.registry.standing(MODEL)).challenger == number
    compared = await house.trials.compared()
    assert compared is not None
    assert compared.seen == compared.known == 400
    shas = {(await Decisions(house.live._database).get(TENANT, f"T{each:06}")).decision.model for each in range(100)}
    assert shas == {_model("champion").sha256, _model("alike").sha256}


async def broken(registry: Registry, folder: Path) -> int:
    files = _model("champion").save(folder / "broken")
    files["model.txt"].write_text("no trees", encoding="utf-8")
    made = Candidate(MODEL, Kind.TABULAR, files, Lineage("", "broken", "none", "test"))
    return (await registry.register(made, "local:ada")).number


async def test_a_challenger_that_cannot_be_opened_is_rolled_back_and_the_champion_goes_on(
    house: House, tmp_path: Path
) -> None:
    number = await broken(house.registry, tmp_path)
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")
    await house.trials.refresh()
    await pay(house, 5)
    await house.trials.look()
    standing = await house.registry.standing(MODEL)
    assert (standing.challenger, standing.champion) == (None, 1)
    assert "could not be opened" in (await house.registry.history(MODEL))[-1].why
    first = await Decisions(house.live._database).get(TENANT, "T000000")
    assert first.decision.model == _model("champion").sha256


async def test_one_that_failed_and_is_tried_again_gets_another_trial(house: House, tmp_path: Path) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")
    await house.trials.refresh()
    trial = house.served.scorer(TENANT).trial
    assert trial is not None
    trial.failed(RuntimeError("a bad day"))
    assert house.served.scorer(TENANT).trial is None
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "again")
    await house.trials.refresh()
    await house.trials.look()
    assert (await house.registry.standing(MODEL)).challenger == number
    assert house.served.scorer(TENANT).trial is not None


async def test_a_challenger_that_is_rolled_back_while_it_is_opened_is_not_tried(house: House, tmp_path: Path) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.CANARY, 50), "ada", "to see")
    opening, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(version: int) -> None:
        if version == number:
            opening.set()
            await go_on.wait()

    house.registry.before = slowly
    first = asyncio.create_task(house.trials.refresh())
    await opening.wait()
    await house.registry.rollback(MODEL, Alias.CHALLENGER, "ada", "seen enough")
    second = asyncio.create_task(house.trials.refresh())
    await asyncio.wait({second}, timeout=0.5)
    go_on.set()
    await asyncio.gather(first, second)
    assert (house.served.scorer(TENANT).trial, house.served.tried) == (None, None)


async def test_a_trial_ends_also_where_the_champions_file_is_damaged_meanwhile(house: House, tmp_path: Path) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.CANARY, 50), "ada", "to see")
    await house.trials.refresh()
    champion = await house.registry.version(MODEL, 1)
    (await house.registry.files(champion))["model.txt"].write_text("no trees", encoding="utf-8")
    await house.registry.rollback(MODEL, Alias.CHALLENGER, "ada", "seen enough")
    await house.trials.refresh()
    assert (house.served.scorer(TENANT).trial, house.served.tried) == (None, None)
    # What is open of the champion goes on.
    assert house.served.scorer(TENANT).judge is not None


async def test_a_challenger_is_tried_when_the_database_is_back(house: House, tmp_path: Path) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")

    async def away(version: int) -> None:
        if version == number:
            raise OSError("no connection")

    house.registry.before = away
    await house.trials.refresh()
    assert house.served.tried is None
    house.registry.before = None
    await house.trials.refresh()
    assert house.served.tried is not None


async def test_one_that_cannot_be_opened_goes_too_when_it_came_while_another_went(house: House, tmp_path: Path) -> None:
    number, worse = await registered(house.registry, tmp_path, "alike"), await broken(house.registry, tmp_path)
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")
    await house.trials.refresh()
    trial = house.served.scorer(TENANT).trial
    assert trial is not None
    trial.failed(RuntimeError("a bad day"))
    house.registry.meanwhile = lambda: house.registry.challenge(MODEL, worse, Plan(Mode.SHADOW), "ada", "to see")
    await house.trials.look()
    await house.trials.look()
    standing = await house.registry.standing(MODEL)
    assert (standing.challenger, standing.barred) == (None, (number, worse))


async def test_a_gateway_without_the_package_leaves_the_trial_to_others(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await registered(house.registry, tmp_path, "alike")
    await house.registry.challenge(MODEL, number, Plan(Mode.SHADOW), "ada", "to see")
    with monkeypatch.context() as without:
        without.setattr("app.fraud.served.find_spec", lambda _: None)
        await house.trials.refresh()
    assert (house.served.failed, house.served.tried) == (None, None)
    await house.trials.look()
    assert (await house.registry.standing(MODEL)).challenger == number
