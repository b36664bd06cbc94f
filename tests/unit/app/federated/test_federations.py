"""What engineers and devices may do with a federation, and what they are told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from app.federated import rounds as rounds_module
from app.federated.federations import Declared
from app.federated.participation import Asked
from app.federated.publishing import register
from app.federated.rounds import Keeper
from app.federated.tables import DrawRow, State
from core.audit import Audit
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.registry import Registry
from core.types import Principal, Role
from core.versions import Kind
from tabular.federated.aggregate import settled
from tabular.federated.local import improve
from tabular.federated.model import FederatedModel, weights_of
from tests.fakes.federating import DEVICES, ENGINEER, NAME, STRANGER, TENANT, Clock, House
from tests.unit.tabular.federated.making import TASK, people, plan

pytest.importorskip("dp_accounting.pld")


@pytest.fixture
async def house(tmp_path: Path, template: Path) -> AsyncIterator[House]:
    database = Database(f"sqlite+aiosqlite:///{shutil.copy(template, tmp_path / 'wayside.db')}")
    yield House(database, Clock())
    await database.close()


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
    published = settled([weights_of(each.weights or b"") for each in await house.held()])
    assert list(model.weights) == pytest.approx(published.tolist())
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
