"""The demo company's stories with the embedded models alone: what is said, what is decided, and what has changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from agents.decisions import Approval, Decision, DecisionKind
from app.runs.workers import Workers
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT
from core.orders import Order, OrderFilter, OrderStatus
from core.purchasing import Product, ProductQuery, PurchaseOrder, PurchaseOrderQuery, PurchaseOrderStatus
from core.settings import Settings
from core.tickets import Ticket, TicketFilter
from core.types import Answer, Message, Principal, Role, Turn

APPROVE = Decision(DecisionKind.APPROVE)
BUYER = Principal("key_buyer", TENANT, Role.STAFF)
COLLEAGUE = Principal("key_colleague", TENANT, Role.STAFF)


@pytest.fixture
async def wayside(demo_workspace: Path, tmp_path: Path) -> AsyncIterator[Wayside]:
    async with _opened(shutil.copytree(demo_workspace, tmp_path / "workspace")) as opened:
        yield opened


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Wayside]:
    async with open_wayside(Settings(workspace=folder)) as opened:
        working = asyncio.create_task(Workers(opened.runs, _unbooked).run())
        yield opened
        working.cancel()
        await asyncio.wait({working})


async def _unbooked(_principal: Principal, _piece: object) -> None:
    return


class Person:
    """Somebody on a thread of their own."""

    def __init__(self, wayside: Wayside, principal: Principal) -> None:
        self._assistant = wayside.assistant
        self._principal = principal

    async def says(self, text: str) -> Answer:
        return await self._assistant.answer(Turn(self._principal, "story", (Message("user", text),)))


async def news(wayside: Wayside, approval: Approval) -> str:
    """What the thread that waited says by itself; nothing where none waited."""
    run = await wayside.news.tell(approval)
    if run is None:
        return ""
    ended = await wayside.runs.ended(run)
    said: str = orjson.loads(ended.output or b"")["messages"][-1]["content"]
    return said


def customer(wayside: Wayside, customer_id: str) -> Person:
    return Person(wayside, Principal(f"key_{customer_id}", TENANT, Role.CLIENT, customer_id))


async def orders(wayside: Wayside, wanted: OrderFilter) -> list[Order]:
    return await wayside.systems.orders.orders(TENANT, wanted)


async def test_a_double_charge_is_found_approved_paid_back_once_and_told(wayside: Wayside) -> None:
    [before] = await orders(wayside, OrderFilter(order_id="ORD-12184"))
    assert (before.charged, before.total, before.refunded) == (Decimal("104.20"), Decimal("52.10"), Decimal("0.00"))
    person = customer(wayside, before.customer_id)
    asked = await person.says("I was charged twice for my order")
    assert "A refund of 52.10 EUR for ORD-12184 (charged 104.20 EUR for a total of 52.10 EUR)" in asked.text
    assert "Still waiting" in (await person.says("any news?")).text

    [approval] = asked.approvals
    decided = await wayside.tools.acting.decide(COLLEAGUE, approval, APPROVE)
    told, again, _ = await asyncio.gather(
        news(wayside, decided), news(wayside, decided), wayside.tools.acting.decide(COLLEAGUE, approval, APPROVE)
    )
    assert told.startswith("52.10 EUR for ORD-12184 are on their way back to you") and again in (told, "")
    assert await news(wayside, decided) == "", "it is told already"
    assert (await person.says("any news?")).text == told
    [after] = await orders(wayside, OrderFilter(order_id="ORD-12184"))
    assert after.refunded == Decimal("52.10")


async def test_from_what_should_i_reorder_to_the_goods_on_the_shelf(wayside: Wayside) -> None:
    buyer = Person(wayside, BUYER)
    advice = await buyer.says("What should I reorder?")
    assert "1. SKU-" in advice.text and "Reorder point:" in advice.text and "In packs of" in advice.text
    asked = await buyer.says("order the first one")
    [approval] = asked.approvals
    assert await _bought(wayside) == []
    decided = await wayside.tools.acting.decide(COLLEAGUE, approval, APPROVE)
    assert "is placed with" in await news(wayside, decided)
    [bought] = await _bought(wayside)
    [line] = bought.lines
    assert f"1. {line.sku} " in advice.text and f"order {line.quantity} from {bought.supplier_id}" in advice.text
    assert bought.id in (await buyer.says("any news?")).text
    assert f"{bought.id} with {bought.supplier_id}" in (await buyer.says("where is it?")).text

    before = await _product(wayside, line.sku)
    told = await buyer.says("it arrived")
    after = await _product(wayside, line.sku)
    assert (before.on_order, after.stock, after.on_order) == (line.quantity, before.stock + line.quantity, 0)
    assert f"{after.stock} in stock now" in told.text
    assert (await _bought(wayside))[0].status is PurchaseOrderStatus.RECEIVED


async def test_where_is_it_cancel_it_send_it_elsewhere(wayside: Wayside) -> None:
    person = customer(wayside, "CUS-00591")
    where = (await person.says("Where is my order?")).text
    assert "ORD-12482" in where and "is placed, and has not been packed yet" in where and "ORD-12462" in where
    asked = await person.says("Change the delivery address of ORD-12482")
    assert "What is the whole new address" in asked.text
    assert (await person.says("Gartenweg 3, 1010 Wien")).text == "ORD-12482 now goes to: Gartenweg 3, 1010 Wien."
    assert (await person.says("cancel it")).text.startswith("Shall I cancel ORD-12482 of 29 June 2026, 24.70 EUR")
    assert (await person.says("yes")).text.startswith("ORD-12482 is cancelled")
    [cancelled] = await orders(wayside, OrderFilter(order_id="ORD-12482"))
    assert cancelled.status is OrderStatus.CANCELLED
    late = await person.says("Cancel ORD-12462, please.")
    assert "ORD-12462 is shipped. Only an order that is placed and not yet packed can be cancelled." in late.text
    theirs = await person.says("cancel ORD-12480")
    assert "I find no order ORD-12480" in theirs.text


async def test_what_it_must_not_answer_is_declined_and_a_ticket_opened_on_yes(wayside: Wayside) -> None:
    person = customer(wayside, "CUS-00235")
    known = {ticket.id for ticket in await _tickets(wayside)}
    declined = await person.says("Which vaccine does my cat need every year?")
    assert declined.declined and "open a ticket" in declined.text
    opened = await person.says("Yes, please do.")
    [ticket] = [ticket for ticket in await _tickets(wayside) if ticket.id not in known]
    assert (ticket.subject, ticket.customer_id) == ("Which vaccine does my cat need every year?", "CUS-00235")
    assert ticket.id in opened.text


async def test_how_things_work_is_answered_from_the_documents(wayside: Wayside) -> None:
    answer = await customer(wayside, "CUS-00235").says("What does delivery to Germany cost?")
    assert answer.citations and not answer.declined


async def _bought(wayside: Wayside) -> list[PurchaseOrder]:
    return await wayside.systems.procurement.read(TENANT, PurchaseOrderQuery())


async def _product(wayside: Wayside, sku: str) -> Product:
    [product] = await wayside.systems.procurement.read(TENANT, ProductQuery(sku=sku))
    return product


async def _tickets(wayside: Wayside) -> list[Ticket]:
    return await wayside.systems.help_desk.tickets(TENANT, TicketFilter(customer_id="CUS-00235"))
