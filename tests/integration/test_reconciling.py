"""Intents against a server's records, policy and people, on both databases: at once, again, and after a decision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.decisions import Decision, DecisionKind
from agents.hands import ToolHands
from agents.intents import OFFLINE, seen
from agents.reconciling import Reconciling
from agents.systems.builtin.orders import BuiltinOrders
from core.database import Database, now
from core.intents import Intent, Settlement, State
from core.orders import ChangeAddress, Order, OrderFilter
from core.types import Principal
from tests.contract.systems import store
from tests.fakes.acting import CLIENT, COLLEAGUE, NEIGHBOUR, STAFF, TENANT, VISITOR, Office
from tests.fakes.company import make_company

PLACED, CHARGED = "ORD-10421", "ORD-10423"
HOME = "5 Mill Lane, Bristol BS1 4DJ"


class Desk:
    """A company's office, and whoever comes back to the network."""

    def __init__(self, database: Database) -> None:
        self.office = Office(database)
        self.orders = BuiltinOrders(database)
        self.office.assemble(self.orders)
        self.reconciling = Reconciling(database, ToolHands(self.office.toolbox, self.office.acting))

    async def order(self, order_id: str) -> Order:
        [found] = await self.orders.orders(TENANT, OrderFilter(order_id=order_id))
        return found

    async def record(self, order_id: str, who: Principal = CLIENT) -> dict[str, Any]:
        records = await self.reconciling.records(who)
        return next(each for each in records.orders if each["id"] == order_id)

    async def settle(self, *intents: Intent, who: Principal = CLIENT) -> list[Settlement]:
        return await self.reconciling.settle(who, intents)

    async def one(self, intent: Intent, who: Principal = CLIENT) -> Settlement:
        [settled] = await self.settle(intent, who=who)
        return settled

    async def wish(self, tool: str, order_id: str, **arguments: Any) -> Intent:
        base = seen(OFFLINE[tool], await self.record(order_id))
        return Intent.make(tool, {"order_id": order_id, **arguments}, base=base)


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    company = make_company()
    company.orders[CHARGED] = replace(company.orders[CHARGED], charged=Decimal("140.00"))
    await store(database, TENANT, company)
    yield Desk(database)


async def test_it_takes_effect_once_however_often_and_from_however_many_lines_it_comes(desk: Desk) -> None:
    intent = await desk.wish("change_delivery_address", PLACED, address=HOME)
    heard = await asyncio.gather(*(desk.one(intent) for _ in range(6)))
    ends = {each.model_dump_json() for each in heard if each.state is not State.LATER}
    assert len(ends) == 1
    settled = await desk.one(intent)
    assert (settled.state, settled.model_dump_json()) == (State.APPLIED, *ends)
    assert (await desk.order(PLACED)).address == HOME
    assert [action for _, action, _ in await desk.office.audited()] == ["effect.done"]
    # The order goes elsewhere afterwards, and the same intent comes once more.
    await desk.orders.act(TENANT, "later", ChangeAddress(PLACED, "1 Quay, Hull HU1 2AB"))
    assert (await desk.one(intent)) == settled
    assert (await desk.order(PLACED)).address == "1 Quay, Hull HU1 2AB"


async def test_an_id_stands_for_one_call_of_one_owner(desk: Desk) -> None:
    intent = await desk.wish("change_delivery_address", PLACED, address=HOME)
    await desk.one(intent)
    other = intent.model_copy(update={"arguments": {"order_id": PLACED, "address": "1 Quay, Hull HU1 2AB"}})
    refused = await desk.one(other)
    assert (refused.state, refused.code) == (State.REJECTED, "id_reused")
    # Another customer's is another one, which may not touch the order.
    theirs = await desk.one(intent, who=NEIGHBOUR)
    assert (theirs.state, theirs.code) == (State.REJECTED, "not_found")
    assert (await desk.order(PLACED)).address == HOME


async def test_what_is_so_already_is_left_alone(desk: Desk) -> None:
    intent = await desk.wish("change_delivery_address", PLACED, address=HOME)
    await desk.orders.act(TENANT, "other", ChangeAddress(PLACED, HOME))
    settled = await desk.one(intent)
    assert (settled.state, settled.code) == (State.MERGED, "already")
    assert await desk.office.audited() == []


async def test_money_moves_with_a_persons_word_and_then_with_a_colleagues(desk: Desk) -> None:
    intent = await desk.wish("issue_refund", CHARGED, amount="60.00", reason="charged twice")
    for _ in range(3):
        asked = await desk.one(intent)
        assert (asked.state, asked.code) == (State.NEEDS_USER, "money")
    assert (await desk.order(CHARGED)).refunded == Decimal("20.00")
    agreed = intent.model_copy(update={"confirmed": asked.version})
    waiting = await desk.one(agreed)
    assert waiting.state is State.WAITING and waiting.approval
    assert await desk.one(agreed) == waiting
    # It is on its way: saying yes to an older state does not begin anew, nor does forgetting to say it.
    assert await desk.one(intent) == waiting
    await desk.office.acting.decide(COLLEAGUE, waiting.approval, Decision(DecisionKind.APPROVE))
    done = await desk.one(agreed)
    assert done.state in (State.APPLIED, State.MERGED)
    assert (await desk.order(CHARGED)).refunded == Decimal("80.00")
    assert await desk.one(agreed) == done


@pytest.mark.parametrize("kind", [DecisionKind.REJECT, DecisionKind.RESPOND])
async def test_a_colleague_who_says_no_is_heard(desk: Desk, kind: DecisionKind) -> None:
    intent = await desk.wish("issue_refund", CHARGED, amount="60.00", reason="charged twice")
    asked = await desk.one(intent)
    agreed = intent.model_copy(update={"confirmed": asked.version})
    waiting = await desk.one(agreed)
    assert waiting.approval
    await desk.office.acting.decide(COLLEAGUE, waiting.approval, Decision(kind, text="Please call us."))
    settled = await desk.one(agreed)
    assert settled.state is State.REJECTED
    assert "Please call us" in settled.text


async def test_each_is_judged_alone_and_in_the_order_in_which_they_were_made(desk: Desk) -> None:
    first = await desk.wish("change_delivery_address", PLACED, address=HOME)
    ticket = Intent.make(
        "create_ticket", {"subject": "Where", "category": "delivery", "priority": "low", "summary": "Where is it?"}
    )
    unknown = Intent.make("create_purchase_order", {"sku": "SKU-1", "quantity": 1})
    broken = Intent.make("create_ticket", {"subject": "no summary"})
    foreign = Intent.make("change_delivery_address", {"order_id": "ORD-99999", "address": HOME})
    settled = await desk.settle(foreign, broken, unknown, ticket, first)
    assert [each.id for each in settled] == [each.id for each in (first, ticket, unknown, broken, foreign)]
    assert [(each.state.value, each.code) for each in settled] == [
        ("applied", None),
        ("applied", None),
        ("rejected", "not_offline"),
        ("rejected", "invalid_input"),
        ("rejected", "not_found"),
    ]


async def test_a_wrong_clock_and_an_endless_intent_are_refused(desk: Desk) -> None:
    given = {"subject": "a", "category": "other", "priority": "low", "summary": "b"}
    ahead = Intent.make("create_ticket", given, moment=now() + timedelta(hours=1))
    endless = Intent.make("create_ticket", given, lifetime=timedelta(days=31))
    over = Intent.make("create_ticket", given, moment=now() - timedelta(days=8))
    codes = [(await desk.one(each)).code for each in (ahead, endless, over)]
    assert codes == ["clock", "invalid_input", "expired"]
    assert await desk.office.audited() == []


async def test_only_the_callers_own_orders_are_taken_along(desk: Desk) -> None:
    own = (await desk.reconciling.records(CLIENT)).orders
    assert own and {each["customer_id"] for each in own} == {CLIENT.customer_id}
    for nobody in (VISITOR, STAFF):
        assert (await desk.reconciling.records(nobody)).orders == []
