import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.canonical import JSON
from core.database import Database
from core.errors import (
    Conflict,
    EngineTimeout,
    Forbidden,
    InFlight,
    InvalidInput,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    SystemUnavailable,
    TooLarge,
    WaysideError,
)
from core.ledger import EXECUTIONS, Effect, Ledger, effect_key
from tests.fakes.destination import Fate, MemoryDestination

SETTLE = 0.15
CALL: dict[str, Any] = {"order_id": "ORD-10421", "amount": "12.50", "reason": "charged twice"}
REFUND = Effect("harbor", effect_key("harbor", "t1", 4, 0, "issue_refund", CALL), "issue_refund", CALL)
NAME = (REFUND.tenant, REFUND.key)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, settle=timedelta(seconds=SETTLE))


def test_a_key_is_the_call_and_nothing_else() -> None:
    reordered = dict(reversed(CALL.items()))
    assert effect_key("harbor", "t1", 4, 0, "issue_refund", reordered) == REFUND.key
    others = [
        effect_key("rival", "t1", 4, 0, "issue_refund", CALL),
        effect_key("harbor", "t2", 4, 0, "issue_refund", CALL),
        effect_key("harbor", "t1", 5, 0, "issue_refund", CALL),
        effect_key("harbor", "t1", 4, 1, "issue_refund", CALL),
        effect_key("harbor", "t1", 4, 0, "cancel_order", CALL),
        effect_key("harbor", "t1", 4, 0, "issue_refund", {**CALL, "amount": "12.51"}),
    ]
    assert len({REFUND.key, *others}) == 7


async def test_the_first_result_is_the_result_for_ever(ledger: Ledger, database: Database) -> None:
    shop = MemoryDestination()
    first = await ledger.perform(REFUND, shop)
    assert first == {"number": 1, "of": "harbor"}
    assert await ledger.perform(REFUND, shop) == first
    assert await Ledger(database).perform(REFUND, shop) == first
    # Neither was it read back: the row says it all.
    assert (shop.requests, shop.questions) == (1, 0)


class Sold(Conflict):
    """A refusal that only one destination knows."""

    code = "sold"


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (Conflict("shipped already"), Conflict),
        (NotFound("no such order", param="order_id"), NotFound),
        (InvalidInput("not an amount", param="amount", code="bad_amount"), InvalidInput),
        (TooLarge("too much"), TooLarge),
        (Forbidden("not yours"), Forbidden),
        (Sold("it is gone"), Conflict),
    ],
)
async def test_a_refusal_is_the_refusal_for_ever(
    ledger: Ledger, refusal: WaysideError, kind: type[WaysideError]
) -> None:
    shop = MemoryDestination(refusal)
    for _ in range(3):
        with pytest.raises(kind) as raised:
            await ledger.perform(REFUND, shop)
        assert type(raised.value) is kind
        said = raised.value
        assert (said.message, said.param, said.code) == (refusal.message, refusal.param, refusal.code)
    assert (shop.requests, shop.happened.total()) == (1, 0)


async def test_a_lost_answer_is_read_back(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.ANSWER_LOST)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


async def test_a_lost_request_is_sent_again(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.REQUEST_LOST)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (2, 1)


async def test_a_destination_that_is_away_can_be_asked_again_later(ledger: Ledger) -> None:
    shop = MemoryDestination(*[ConnectionRefusedError()] * (EXECUTIONS + 1))
    with pytest.raises(OutcomeUnknown, match="no answer in 3 attempts"):
        await ledger.perform(REFUND, shop)
    assert shop.requests == EXECUTIONS
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (EXECUTIONS + 2, 1)


async def test_an_earlier_request_that_is_still_in_flight_there_is_waited_for(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.LATE, late=SETTLE / 3)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    await shop.arrive()
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


@pytest.mark.parametrize(("idempotent", "times"), [(True, 1), (False, 2)])
async def test_a_request_later_than_settle_is_where_the_promise_ends(
    ledger: Ledger, idempotent: bool, times: int
) -> None:
    # Not a wish but the boundary: only a destination that is idempotent by key can undo this.
    shop = MemoryDestination(Fate.LATE, idempotent=idempotent)
    await ledger.perform(REFUND, shop)
    await shop.arrive()
    assert shop.happened[NAME] == times


class Overtaken(MemoryDestination):
    """The first request takes effect just before the second arrives."""

    async def execute(self, effect: Effect) -> JSON:
        if self.requests:
            self.happen(effect)
        return await super().execute(effect)


async def test_a_repeated_request_is_not_refused_because_of_its_own_effect(ledger: Ledger) -> None:
    shop = Overtaken(Fate.REQUEST_LOST, Conflict("cancelled already"))
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (2, 1)


async def test_a_refused_repetition_of_nothing_is_refused(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.REQUEST_LOST, Conflict("shipped already"))
    with pytest.raises(Conflict, match="shipped"):
        await ledger.perform(REFUND, shop)
    assert shop.happened[NAME] == 0


async def test_what_cannot_be_read_back_is_never_repeated(ledger: Ledger) -> None:
    mute = MemoryDestination(Fate.ANSWER_LOST, unreadable=[OutcomeUnknown("there is nobody to ask")] * 5)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await ledger.perform(REFUND, mute)
    assert (mute.requests, mute.happened[NAME]) == (1, 1)


async def test_a_read_back_without_an_answer_is_tried_until_settled(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.ANSWER_LOST, unreadable=[ConnectionResetError()] * 2)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.questions) == (1, 3)


async def test_a_read_back_that_stays_without_an_answer_sends_nothing(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.ANSWER_LOST, unreadable=[ConnectionResetError()] * 100)
    with pytest.raises(OutcomeUnknown, match="cannot be read back"):
        await ledger.perform(REFUND, shop)
    assert (shop.requests, shop.happened[NAME]) == (1, 1)


async def test_a_destination_that_is_still_at_it_is_read_back(ledger: Ledger) -> None:
    shop = MemoryDestination(InFlight("wait"), InFlight("wait"))
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert shop.requests == 3


@pytest.mark.parametrize("surprise", [EngineTimeout("slow"), ZeroDivisionError()])
async def test_a_surprise_passes_through_and_is_read_back_next_time(ledger: Ledger, surprise: Exception) -> None:
    shop = MemoryDestination(surprise)
    with pytest.raises(type(surprise)):
        await ledger.perform(REFUND, shop)
    # At once, though the lease of half a minute has not run out: it was given back.
    async with asyncio.timeout(10):
        assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.happened[NAME]) == (2, 1)
    assert shop.questions > 0


async def test_a_cancelled_call_is_read_back_next_time(ledger: Ledger) -> None:
    shop = MemoryDestination(delay=0.2)
    call = asyncio.create_task(ledger.perform(REFUND, shop))
    while not shop.requests:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    async with asyncio.timeout(10):
        await ledger.perform(REFUND, shop)
    assert shop.happened[NAME] == 1


async def test_a_key_stands_for_one_call(ledger: Ledger) -> None:
    shop = MemoryDestination()
    await ledger.perform(REFUND, shop)
    for other in (replace(REFUND, arguments={**CALL, "amount": "99.00"}), replace(REFUND, tool="cancel_order")):
        with pytest.raises(KeyReused):
            await ledger.perform(other, shop)
    assert shop.requests == 1


async def test_tenants_share_nothing_but_the_table(ledger: Ledger) -> None:
    shop = MemoryDestination()
    mine = await ledger.perform(REFUND, shop)
    theirs = await ledger.perform(replace(REFUND, tenant="rival"), shop)
    assert (mine, theirs) == ({"number": 1, "of": "harbor"}, {"number": 2, "of": "rival"})


async def test_arguments_that_are_no_json_are_refused_before_anything_happens(ledger: Ledger) -> None:
    shop = MemoryDestination()
    with pytest.raises(InvalidInput):
        await ledger.perform(replace(REFUND, arguments={"amount": float("nan")}), shop)
    assert shop.requests == 0


async def test_a_destination_that_says_it_did_nothing_leaves_no_doubt(ledger: Ledger) -> None:
    shop = MemoryDestination(SystemUnavailable("closed", retry_after=2.0))
    with pytest.raises(SystemUnavailable, match="closed"):
        await ledger.perform(REFUND, shop)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert (shop.requests, shop.questions) == (2, 0)


async def test_a_destination_that_closes_after_a_lost_request_is_asked_again(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.REQUEST_LOST, SystemUnavailable("closed"))
    with pytest.raises(SystemUnavailable):
        await ledger.perform(REFUND, shop)
    assert await ledger.perform(REFUND, shop) == {"number": 1, "of": "harbor"}
    assert shop.happened[NAME] == 1


async def test_a_destination_that_cannot_be_read_back_now_leaves_the_doubt(ledger: Ledger) -> None:
    shop = MemoryDestination(Fate.ANSWER_LOST, unreadable=[SystemUnavailable("closed")] * 100)
    with pytest.raises(OutcomeUnknown):
        await ledger.perform(REFUND, shop)
    assert (shop.requests, shop.happened[NAME]) == (1, 1)
