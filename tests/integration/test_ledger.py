"""The ledger on both databases: many at once, slow ones, dead ones and frozen ones, and one effect each time."""

import asyncio
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import update

from core.canonical import JSON
from core.database import Database, now
from core.errors import InFlight
from core.ledger import Effect, Ledger, effect_key
from core.reservations import Claim, EffectRow, Ended, Reservations
from tests.fakes.destination import MemoryDestination

ADDRESS = {"order_id": "ORD-10007", "address": "4 Quay Street, Porthaven"}
MOVE = Effect("harbor", effect_key("harbor", "t9", 2, 1, "change_delivery_address", ADDRESS), "move", ADDRESS)
NAME = (MOVE.tenant, MOVE.key)
LEASE, SETTLE = timedelta(seconds=0.6), timedelta(seconds=0.1)


def ledger(database: Database, patience: float = 20.0, lease: timedelta = LEASE) -> Ledger:
    return Ledger(database, lease=lease, settle=SETTLE, patience=timedelta(seconds=patience))


async def test_fifty_at_once_are_one_execution_and_one_result(database: Database) -> None:
    shop = MemoryDestination(delay=0.2)
    # As many as there are workers on one database: each has a ledger and a pool of its own.
    databases = [database, Database(database.dsn), Database(database.dsn)]
    # A lease that the opening of so many connections at once does not use up.
    ledgers = [ledger(each, lease=timedelta(seconds=30)) for each in databases]
    results = await asyncio.gather(*(ledgers[each % 3].perform(MOVE, shop) for each in range(50)))
    assert results == [{"number": 1, "of": "harbor"}] * 50
    assert (shop.requests, shop.happened[NAME], shop.questions) == (1, 1, 0)
    for other in databases[1:]:
        await other.close()


async def test_fifty_different_effects_at_once_happen_once_each(database: Database) -> None:
    shop = MemoryDestination(delay=0.01)
    effects = [Effect("harbor", f"{each:064}", "move", ADDRESS) for each in range(50)]
    results = await asyncio.gather(*(ledger(database).perform(each, shop) for each in effects for _ in range(2)))
    assert shop.happened == {("harbor", each.key): 1 for each in effects}
    assert results[::2] == results[1::2]


async def test_a_long_execution_keeps_its_lease(database: Database) -> None:
    shop = MemoryDestination(delay=3 * LEASE.total_seconds())
    first = asyncio.create_task(ledger(database).perform(MOVE, shop))
    while not shop.requests:
        await asyncio.sleep(0.01)
    with pytest.raises(InFlight) as busy:
        await ledger(database, patience=2 * LEASE.total_seconds()).perform(MOVE, shop)
    assert busy.value.code == "effect_in_flight"
    assert await first == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


@pytest.mark.parametrize("happened", [True, False])
async def test_a_dead_owner_s_effect_is_read_back_and_finished(database: Database, happened: bool) -> None:
    shop = MemoryDestination()
    assert isinstance(await Reservations(database, LEASE).claim(MOVE), Claim)
    if happened:
        shop.happen(MOVE)
    with pytest.raises(InFlight):
        await ledger(database, patience=0).perform(MOVE, shop)
    assert await ledger(database).perform(MOVE, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (0 if happened else 1, 1)
    assert shop.questions > 0


async def test_of_many_heirs_one_inherits(database: Database) -> None:
    shop = MemoryDestination(delay=0.05)
    assert isinstance(await Reservations(database, timedelta(0)).claim(MOVE), Claim)
    results = await asyncio.gather(*(ledger(database).perform(MOVE, shop) for _ in range(30)))
    assert results == [{"number": 1, "of": "harbor"}] * 30
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


class Freezing(MemoryDestination):
    """Its first question freezes the asking process, until somebody else has performed the effect."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        self._dsn = dsn
        self.results: list[JSON] = []

    async def outcome(self, effect: Effect) -> JSON:
        self.questions += 1
        if first := self.questions == 1:
            rival = Thread(target=lambda: self.results.append(asyncio.run(self._perform())))
            rival.start()
            rival.join()
        # What it saw before it froze: nothing.
        return None if first else await super().outcome(effect)

    async def _perform(self) -> JSON:
        database = Database(self._dsn)
        result = await ledger(database).perform(MOVE, self)
        await database.close()
        return result


async def test_a_frozen_owner_sends_nothing_when_it_wakes(database: Database) -> None:
    shop = Freezing(database.dsn)
    # A dead owner whose lease and settling are long over, so that one read-back is enough to execute.
    assert isinstance(await Reservations(database, timedelta(seconds=-9)).claim(MOVE), Claim)
    assert await ledger(database).perform(MOVE, shop) == {"number": 1, "of": "harbor"}
    assert shop.results == [{"number": 1, "of": "harbor"}]
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


class Robbed(MemoryDestination):
    """While it executes, another owner takes the effect over; the request is then on its way for ever."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self.interrupted = False

    async def execute(self, effect: Effect) -> JSON:
        async with self._database.session() as session:
            await session.execute(update(EffectRow).values(owner="another", leased_until=now() + LEASE))
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.interrupted = True
            self.happen(effect)
            raise
        return await super().execute(effect)


async def test_an_owner_that_lost_its_lease_stops_and_writes_nothing(database: Database) -> None:
    shop = Robbed(database)
    async with asyncio.timeout(60):
        assert await ledger(database).perform(MOVE, shop) == {"number": 1, "of": "harbor"}
    assert shop.interrupted
    assert (shop.requests, shop.happened[NAME]) == (0, 1)


async def test_only_the_holder_of_the_claim_can_change_the_row(database: Database) -> None:
    reservations = Reservations(database, timedelta(0))
    dead = await reservations.claim(MOVE)
    heir = await reservations.claim(MOVE)
    assert isinstance(dead, Claim) and isinstance(heir, Claim)
    assert dead.doubt is None and heir.doubt is not None
    assert not await reservations.renew(dead)
    assert not await reservations.end(dead, Ended.done(1))
    assert await reservations.end(heir, Ended.done(2))
    # The end stays, whoever comes: the heir itself, and the dead one.
    assert not await reservations.end(heir, Ended.done(3))
    await reservations.release(heir)
    assert await reservations.claim(MOVE) == Ended.done(2)
