"""Suggestions over the demo company's tickets, with the embedded models alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from agents.acting import Call, Done, Waiting
from agents.suggesting import Suggestions
from agents.tools.tool import Caller, Subject
from app.demo.company import Company, generate
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT
from core.errors import NotFound
from core.settings import Settings
from core.tickets import Ticket, TicketFilter, TicketStatus
from core.types import Principal, Role, Verdict

STAFF = Principal("key_staff", TENANT, Role.STAFF)
OPEN = TicketFilter(statuses=(TicketStatus.OPEN, TicketStatus.PENDING), limit=100)
# Close enough to be taken for the same matter; some of the demo's repetitions are not (see `agents.triage.ALIKE`).
REPEATED = 4
LIMIT = Decimal("50.00")


@pytest.fixture
async def wayside(demo_workspace: Path, tmp_path: Path) -> AsyncIterator[Wayside]:
    async with _opened(shutil.copytree(demo_workspace, tmp_path / "workspace")) as opened:
        yield opened


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[Wayside]:
    async with open_wayside(Settings(workspace=folder)) as opened:
        yield opened


async def test_every_open_ticket_gets_suggestions(wayside: Wayside) -> None:
    company = generate()
    tickets = await wayside.systems.help_desk.tickets(TENANT, OPEN)
    assert len(tickets) >= 30
    found = {ticket.id: await wayside.suggesting.suggest(STAFF, ticket.id) for ticket in tickets}
    for ticket in tickets:
        _nothing_of_others(company, ticket, found[ticket.id])
        _is_supported(ticket, found[ticket.id])
    assert sum(not each.reply.declined for each in found.values()) >= len(tickets) // 2

    await _the_double_charges_are_owed(wayside, company, tickets, found)
    closed = {ticket for ticket, each in found.items() if each.next_action and "status" in each.next_action.arguments}
    assert len(closed) >= REPEATED
    assert closed <= {ticket.id for ticket in tickets if ticket.duplicate_of is not None}
    handed = [each.team for ticket, each in found.items() if _tool(each) == "escalate_to_human"]
    assert {"fraud", "logistics", "technical"} <= {team.value for team in handed}

    with pytest.raises(NotFound):
        await wayside.suggesting.suggest(Principal("key_rival", "rival", Role.ADMIN), tickets[0].id)


async def _the_double_charges_are_owed(
    wayside: Wayside, company: Company, tickets: list[Ticket], found: dict[str, Suggestions]
) -> None:
    orders = {order.id: order for order in company.orders}
    twice = [
        ticket
        for ticket in tickets
        if ticket.order_id is not None
        and orders[ticket.order_id].charged > orders[ticket.order_id].total
        and ticket.duplicate_of is None
    ]
    assert len(twice) == 2
    for ticket in twice:
        order, action = orders[ticket.order_id or ""], found[ticket.id].next_action
        assert action is not None
        owed = order.charged - order.total
        assert (action.tool, action.arguments["order_id"]) == ("issue_refund", order.id)
        assert Decimal(action.arguments["amount"]) == owed
        assert action.reasons[-1] == f"{order.charged} - {order.total} - 0.00 = {owed} EUR too much"
        assert action.subject["customer_id"] == ticket.customer_id
        # As suggested, the staff can perform it: the larger one needs the consent of a colleague.
        call = Call("desk", 0, 0, action.tool, action.arguments)
        outcome = await wayside.tools.acting.perform(Caller(STAFF, Subject(**action.subject)), call)
        assert isinstance(outcome, Waiting if owed > LIMIT else Done)


def _nothing_of_others(company: Company, ticket: Ticket, found: Suggestions) -> None:
    """No order, address, tracking number or name of another customer stands in what is suggested."""
    action = found.next_action
    shown = found.reply.text + (f"{action.arguments}{action.subject}{action.reasons}" if action else "")
    own = {order.id for order in company.orders if order.customer_id == ticket.customer_id}
    # The documents give one number as an example.
    cited = "".join(citation.quote for citation in found.reply.citations)
    assert set(re.findall(r"ORD-\d+", shown)) <= own | set(re.findall(r"ORD-\d+", cited)) | {"ORD-10421"}
    tracking = {order.tracking for order in company.orders if order.id not in own and order.tracking}
    assert not any(number in shown for number in tracking)
    names = {customer.id: customer.name for customer in company.customers}
    mine = names[ticket.customer_id or ""]
    assert found.reply.text.startswith(f"Hello {mine},")
    assert not any(name in shown for name in set(names.values()) - {mine})


def _is_supported(ticket: Ticket, found: Suggestions) -> None:
    """Every mark has its citation and every citation its mark."""
    marks = {int(mark) for mark in re.findall(r"\[(\d+)\]", found.reply.text)}
    assert marks == {citation.marker for citation in found.reply.citations}, ticket.id
    assert all(citation.verdict is not Verdict.UNSUPPORTED for citation in found.reply.citations)
    assert not (found.reply.declined and found.reply.citations)
    assert found.reply.text.endswith("Kind regards,\nyour support team")


def _tool(found: Suggestions) -> str:
    return found.next_action.tool if found.next_action else ""
