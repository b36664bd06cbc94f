"""Federations on both databases: what is spent is written before it is used, and every round ends once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from app.federated import rounds as rounds_module
from app.federated.federations import Declared, Federation, Federations
from app.federated.participation import Asked, Participation
from app.federated.publishing import register
from app.federated.rounds import Keeper
from app.federated.tables import DeviceRow, DrawRow, RoundRow, State
from core.audit import Audit
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.registry import Registry
from core.types import Principal, Role
from core.versions import Kind
from tabular.federated.local import improve
from tabular.federated.model import FederatedModel
from tabular.federated.plan import Plan
from tabular.federated.task import Floats
from tests.unit.tabular.federated.making import TASK, people, plan

pytest.importorskip("dp_accounting.pld")

TENANT = "harbor"
ENGINEER = Principal("key_e", TENANT, Role.ENGINEER)
STRANGER = Principal("key_x", "rival", Role.ADMIN)
NAME = "stays"
DEVICES = [Principal(f"key_{each}", TENANT, Role.CLIENT, f"CUS-{each:05}") for each in range(8)]


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class House:
    """Two servers on one database, and what their callers ask of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.federations = Federations(database, clock=clock)
        self.devices = Participation(database, clock=clock)
        self.keeper, self.other = (Keeper(database, clock=clock) for _ in range(2))

    async def declared(self, **terms: Any) -> Federation:
        given = {"population": 8, "delta": 0.01, "share": 1.0, "noise": 2.0, "rounds": 3, "seconds": 60, **terms}
        evaluation = people(20, seed=5)
        return await self.federations.create(ENGINEER, Declared(NAME, "Who stays?", TASK, plan(**given), evaluation))

    async def running(self, **terms: Any) -> Plan:
        made = await self.declared(**terms)
        for each in DEVICES:
            await self.devices.enrol(each, NAME, consent=True)
        await self.federations.start(ENGINEER, NAME)
        return made.plan

    async def answer(self, device: Principal, update: list[float] | None = None, number: int | None = None) -> None:
        work = await self.devices.work(device, NAME)
        assert work.asked is Asked.TRAIN
        assert work.round is not None
        given = [0.1] * TASK.dimension if update is None else update
        await self.devices.submit(device, NAME, number or work.round, given)

    async def held(self) -> list[RoundRow]:
        async with self.database.session() as session:
            return list(await session.scalars(sa.select(RoundRow).order_by(RoundRow.number)))

    async def count(self, table: type[DeviceRow] | type[DrawRow]) -> int:
        async with self.database.session() as session:
            return int(await session.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@pytest.fixture
def house(database: Database) -> House:
    return House(database, Clock())


async def test_epsilon_grows_by_the_round_and_ends_the_training_at_the_budget(house: House) -> None:
    await house.running(epsilon=3.0, rounds=50)
    spent = []
    while (stands := await house.federations.get(TENANT, NAME)).state is State.RUNNING:
        spent.append(stands.spent)
        for device in DEVICES:
            await house.answer(device)
        assert await house.keeper.advance(TENANT, NAME)
    assert spent == sorted(set(spent))
    assert 1 < len(spent) < 50
    assert (stands.state, stands.ended_why) == (State.DONE, "the privacy budget is spent")
    assert stands.spent == spent[-1] <= 3.0
    # Another round would have been over it.
    from tabular.federated.accounting import epsilon

    assert epsilon(1.0, 2.0, len(spent) + 1, 0.01) > 3.0
    assert not await house.keeper.advance(TENANT, NAME)
    assert [each.epsilon for each in await house.federations.rounds(TENANT, NAME)] == spent
    assert (await house.devices.work(DEVICES[0], NAME)).asked is Asked.ENDED


async def test_a_round_adds_what_came_and_forgets_who_sent_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds_module, "secret_normals", np.zeros)
    wanted = await house.running(clip=0.5)
    for device in DEVICES[:6]:
        await house.answer(device, [0.1, 0, 0, 0, 0])
    await house.answer(DEVICES[6], [-1e9, 0, 0, 0, 0])
    assert not await house.keeper.advance(TENANT, NAME)
    # The eighth never answers.
    house.clock.pass_(60)
    assert await house.keeper.advance(TENANT, NAME)
    work = await house.devices.work(DEVICES[0], NAME)
    assert (work.asked, work.round) == (Asked.TRAIN, 2)
    assert work.weights is not None
    assert work.weights.tolist() == pytest.approx([(6 * 0.1 - wanted.clip) / 8, 0, 0, 0, 0])
    first, second = await house.held()
    assert (first.drawn, first.answered, second.drawn, second.answered) == (8, 7, 8, None)
    assert first.accuracy is not None
    assert await house.count(DrawRow) == 8


async def test_a_round_that_nobody_answers_is_noise_and_costs_all_the_same(house: House) -> None:
    await house.running()
    for _ in range(3):
        house.clock.pass_(60)
        assert await house.keeper.advance(TENANT, NAME)
    stands = await house.federations.get(TENANT, NAME)
    assert (stands.state, stands.ended_why) == (State.DONE, "all rounds were held")
    held = await house.held()
    assert [each.answered for each in held] == [0, 0, 0]
    assert len({each.weights for each in held}) == 3
    assert (await house.federations.model(TENANT, NAME)).epsilon == stands.spent > held[0].epsilon


async def test_two_servers_close_a_round_once(house: House) -> None:
    await house.running(rounds=4)
    for number in range(1, 5):
        for device in DEVICES:
            await house.answer(device)
        done = await asyncio.gather(*(each.advance(TENANT, NAME) for each in (house.keeper, house.other) * 3))
        assert sum(done) == 1
        held = await house.held()
        assert len(held) == min(number + 1, 4)
        assert [each.answered for each in held[:number]] == [8] * number


async def test_what_was_spent_outlives_the_server(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.running()
    before = (await house.federations.get(TENANT, NAME)).spent
    assert before > 0
    for device in DEVICES:
        await house.answer(device)

    def killed(*_: object) -> Floats:
        raise KeyboardInterrupt

    # The server dies while it adds up: nothing is published, nothing is forgotten.
    with monkeypatch.context() as patch:
        patch.setattr(rounds_module, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            await house.keeper.advance(TENANT, NAME)
    again = House(house.database, house.clock)
    stands = await again.federations.get(TENANT, NAME)
    assert (stands.round, stands.spent, stands.state) == (1, before, State.RUNNING)
    assert await again.keeper.advance(TENANT, NAME)
    assert [each.answered for each in await again.held()] == [8, None]


async def test_an_update_counts_once(house: House) -> None:
    await house.running()
    device, update = DEVICES[0], [0.1, 0.2, 0.0, 0.0, 0.0]
    await house.answer(device, update)
    assert (await house.devices.work(device, NAME)).asked is Asked.WAIT
    await house.devices.submit(device, NAME, 1, update)
    with pytest.raises(Conflict) as refused:
        await house.devices.submit(device, NAME, 1, [0.3, 0.2, 0.0, 0.0, 0.0])
    assert refused.value.code == "already_answered"
    answers = await asyncio.gather(
        *(house.devices.submit(DEVICES[1], NAME, 1, [0.1 * each] * 5) for each in range(4)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in answers) == ["Conflict"] * 3 + ["NoneType"]
    house.clock.pass_(60)
    await house.keeper.advance(TENANT, NAME)
    assert (await house.held())[0].answered == 2


async def refusal(house: House, device: Principal, number: int, update: list[float]) -> str:
    with pytest.raises((Conflict, InvalidInput)) as refused:
        await house.devices.submit(device, NAME, number, update)
    return refused.value.code


async def test_what_is_late_wrong_or_nobodys_is_refused_by_name(house: House) -> None:
    await house.running()
    sound = [0.1] * 5
    assert await refusal(house, DEVICES[0], 2, sound) == "round_over"
    assert await refusal(house, DEVICES[0], 1, [0.1] * 4) == "invalid_input"
    assert await refusal(house, DEVICES[0], 1, [float("nan")] * 5) == "invalid_input"
    assert await refusal(house, DEVICES[0], 1, [float("inf")] + [0.0] * 4) == "invalid_input"
    assert await refusal(house, ENGINEER, 1, sound) == "not_enrolled"
    newcomer = Principal("key_n", TENANT, Role.CLIENT)
    await house.devices.enrol(newcomer, NAME, consent=True)
    assert await refusal(house, newcomer, 1, sound) == "not_drawn"
    assert (await house.devices.work(newcomer, NAME)).asked is Asked.WAIT
    house.clock.pass_(60)
    # Over by the clock, though no server has closed it yet.
    assert await refusal(house, DEVICES[0], 1, sound) == "round_over"
    assert (await house.devices.work(DEVICES[0], NAME)).asked is Asked.WAIT
    await house.keeper.advance(TENANT, NAME)
    # Sent again into the next round as that of the last one: replayed.
    assert await refusal(house, DEVICES[0], 1, sound) == "round_over"
    assert (await house.devices.work(newcomer, NAME)).asked is Asked.TRAIN


async def test_devices_are_drawn_each_for_itself(house: House) -> None:
    await house.running(share=0.5, noise=20.0, rounds=20, epsilon=5.0)
    drawn = dict.fromkeys(DEVICES, 0)
    for _ in range(20):
        for device in DEVICES:
            drawn[device] += (await house.devices.work(device, NAME)).asked is Asked.TRAIN
        house.clock.pass_(60)
        await house.keeper.advance(TENANT, NAME)
    held = await house.held()
    assert sum(drawn.values()) == sum(each.drawn for each in held)
    # Of 160 throws of a fair coin 80 are heads; 6.3 is one standard deviation.
    assert 80 - 38 < sum(drawn.values()) < 80 + 38
    assert len({each.drawn for each in held}) > 2


async def test_nobody_starts_with_too_few_and_each_counts_once(house: House) -> None:
    await house.declared()
    since = await house.devices.enrol(DEVICES[0], NAME, consent=True)
    house.clock.pass_(5)
    assert await house.devices.enrol(DEVICES[0], NAME, consent=True) == since
    # Another key of the same customer is the same person.
    await house.devices.enrol(Principal("key_other", TENANT, Role.CLIENT, "CUS-00000"), NAME, consent=True)
    assert (await house.federations.get(TENANT, NAME)).enrolled == 1
    assert (await house.devices.work(DEVICES[0], NAME)).asked is Asked.WAIT
    with pytest.raises(Conflict, match="1 of 8 devices"):
        await house.federations.start(ENGINEER, NAME)
    with pytest.raises(InvalidInput, match="agreed"):
        await house.devices.enrol(DEVICES[1], NAME, consent=False)
    assert await house.devices.enrolled(DEVICES[0], [NAME, "other"]) == {NAME}
    assert await house.devices.enrolled(DEVICES[1], [NAME]) == set()


async def test_who_leaves_takes_the_open_update_along(house: House) -> None:
    await house.running()
    for device in DEVICES:
        await house.answer(device)
    await house.devices.leave(DEVICES[0], NAME)
    await house.devices.leave(DEVICES[0], NAME)
    assert await house.count(DeviceRow) == 7
    assert await house.keeper.advance(TENANT, NAME)
    assert [(each.drawn, each.answered) for each in await house.held()] == [(8, 7), (7, None)]
    with pytest.raises(Conflict, match="not enrolled"):
        await house.devices.work(DEVICES[0], NAME)


async def test_stopping_forgets_the_open_round_and_keeps_what_it_cost(house: House) -> None:
    await house.running()
    with pytest.raises(Conflict, match="not ended"):
        await house.federations.model(TENANT, NAME)
    await house.answer(DEVICES[0])
    spent = (await house.federations.get(TENANT, NAME)).spent
    stopped = await house.federations.stop(ENGINEER, NAME)
    assert (stopped.state, stopped.spent) == (State.STOPPED, spent)
    assert await house.count(DrawRow) == 0
    assert (await house.federations.stop(ENGINEER, NAME)).ended_at == stopped.ended_at
    house.clock.pass_(60)
    assert not await house.keeper.advance(TENANT, NAME)
    for wanted in (house.federations.start(ENGINEER, NAME), house.devices.enrol(DEVICES[1], NAME, consent=True)):
        with pytest.raises(Conflict, match="has ended"):
            await wanted
    with pytest.raises(Conflict, match="before a round"):
        await house.federations.model(TENANT, NAME)
    done = [each.entry.action for each in await Audit(house.database).entries(TENANT, of=f"federation/{NAME}")]
    assert done == ["federation.create", "federation.start", "federation.stop"]


async def test_a_model_comes_out_and_into_the_registry(house: House, tmp_path: Path) -> None:
    wanted = await house.running(rounds=4, noise=3.0, epsilon=20.0, epochs=10, rate=1.0, clip=3.0)
    rows = {device: TASK.rows(people(60, seed=at)) for at, device in enumerate(DEVICES)}
    for _ in range(4):
        for at, device in enumerate(DEVICES):
            work = await house.devices.work(device, NAME)
            assert work.weights is not None
            await house.answer(device, improve(work.weights, rows[device], wanted, seed=at).tolist())
        await house.keeper.advance(TENANT, NAME)
    stands = await house.federations.get(TENANT, NAME)
    model = await house.federations.model(TENANT, NAME)
    assert (model.rounds, model.epsilon, model.delta) == (4, stands.spent, wanted.delta)
    registry = Registry.of(house.database, tmp_path)
    made = await register(house.federations, registry, ENGINEER, NAME)
    assert (made.model, made.number, made.kind) == (NAME, 1, Kind.TABULAR)
    assert f"epsilon {stands.spent:.3f} at delta 0.01" in made.card
    assert made.metrics["public/accuracy"].interval.cases == 20
    assert made.metrics["privacy/epsilon"].interval.value == stands.spent
    assert FederatedModel.load(await registry.files(made)) == model
    assert (await register(house.federations, registry, ENGINEER, NAME)).number == 1


async def test_nothing_is_anothers(house: House) -> None:
    await house.running()
    for wanted in (
        house.federations.get("rival", NAME),
        house.federations.rounds("rival", NAME),
        house.federations.start(STRANGER, NAME),
        house.federations.stop(STRANGER, NAME),
        house.federations.model("rival", NAME),
        house.devices.enrol(STRANGER, NAME, consent=True),
        house.devices.leave(STRANGER, NAME),
        house.devices.work(STRANGER, NAME),
        house.devices.submit(STRANGER, NAME, 1, [0.1] * 5),
        house.keeper.advance("rival", NAME),
    ):
        with pytest.raises(NotFound):
            await wanted
    assert await house.federations.list("rival") == []
    assert [each.name for each in await house.federations.list(TENANT)] == [NAME]
    with pytest.raises(Conflict, match="already"):
        await house.declared()
    # The same name is another federation with another tenant.
    theirs = await house.federations.create(STRANGER, Declared(NAME, "", TASK, plan(noise=2.0)))
    assert (theirs.state, theirs.enrolled) == (State.CREATED, 0)


async def test_public_rows_that_are_not_of_the_task_are_named(house: House) -> None:
    wrong = [*people(2, seed=1), {"age": "old"}]
    with pytest.raises(InvalidInput, match="row 3: age"):
        await house.federations.create(ENGINEER, Declared(NAME, "", TASK, plan(), wrong))
    with pytest.raises(InvalidInput, match="one round costs"):
        await house.declared(epsilon=0.5, noise=0.5)
    assert await house.federations.list(TENANT) == []


async def test_a_keeper_goes_on_by_itself(house: House) -> None:
    await house.running(seconds=0.1, rounds=2)
    house.clock.pass_(1e6)
    keeper = Keeper(house.database, poll_seconds=0.01)
    running = asyncio.create_task(keeper.run())
    try:
        async with asyncio.timeout(20):
            while (await house.federations.get(TENANT, NAME)).state is State.RUNNING:
                keeper.nudge()
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert len(await house.held()) == 2
