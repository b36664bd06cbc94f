"""Federations on both databases: what is spent is written before it is used, and every round ends once."""

from __future__ import annotations

import asyncio

import pytest

from app.federated import rounds as rounds_module
from app.federated.participation import Asked
from app.federated.tables import DeviceRow, State
from core.database import Database
from core.errors import Conflict
from tabular.federated.task import Floats
from tests.fakes.federating import DEVICES, NAME, TENANT, Clock, House

pytest.importorskip("dp_accounting.pld")


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
