"""What every help desk promises: the fake, ours on both databases, and one over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Conflict, InvalidInput, KeyReused, NotFound
from core.tickets import (
    CreateTicket,
    Escalate,
    Team,
    Ticket,
    TicketAction,
    TicketCategory,
    TicketFilter,
    TicketPriority,
    TicketStatus,
    UpdateTicket,
)
from tests.contract.systems import Held
from tests.fakes.company import CUSTOMERS, make_company

WRITTEN = make_company().tickets
OPEN, PENDING, RESOLVED, CLOSED = (f"TCK-{number:05}" for number in range(29, 33))
NEW = CreateTicket(
    "Stove leaks", TicketCategory.PRODUCT, TicketPriority.HIGH, "It smells of gas.", CUSTOMERS[0], "ORD-10421"
)


async def everything(systems: Held, tenant: str) -> list[Ticket]:
    return await systems.help_desk.tickets(tenant, TicketFilter())


async def test_tickets_are_read_as_they_are_the_latest_first(systems: Held) -> None:
    found = await everything(systems, systems.tenant)
    assert found == list(reversed(WRITTEN.values()))
    assert await systems.help_desk.tickets(systems.tenant, TicketFilter(limit=1)) == found[:1]


FOUND = [
    (TicketFilter(ticket_id=OPEN), [OPEN]),
    (TicketFilter(ticket_id="TCK-99999"), []),
    (TicketFilter(customer_id=CUSTOMERS[0]), [RESOLVED, OPEN]),
    (TicketFilter(customer_id=CUSTOMERS[1], ticket_id=OPEN), []),
    (TicketFilter(order_id="ORD-10421"), [RESOLVED, OPEN]),
    (TicketFilter(statuses=(TicketStatus.OPEN, TicketStatus.PENDING)), [PENDING, OPEN]),
    (TicketFilter(statuses=(TicketStatus.CLOSED,), customer_id=CUSTOMERS[0]), []),
]


async def test_tickets_are_found_by_what_is_given(systems: Held) -> None:
    for wanted, found in FOUND:
        assert [ticket.id for ticket in await systems.help_desk.tickets(systems.tenant, wanted)] == found


async def test_a_new_ticket_is_open_and_has_the_next_number(systems: Held) -> None:
    ticket = await systems.help_desk.act(systems.tenant, "k1", NEW)
    assert (ticket.id, ticket.status, ticket.assignee, ticket.team) == ("TCK-00033", TicketStatus.OPEN, None, None)
    assert (ticket.subject, ticket.message, ticket.category) == (NEW.subject, NEW.summary, NEW.category)
    assert (ticket.priority, ticket.customer_id, ticket.order_id) == (NEW.priority, NEW.customer_id, NEW.order_id)
    assert await systems.help_desk.tickets(systems.tenant, TicketFilter(ticket.id)) == [ticket]
    anybody = CreateTicket("Hello", TicketCategory.OTHER, TicketPriority.LOW, "Who are you?")
    assert (await systems.help_desk.act(systems.tenant, "k2", anybody)).id == "TCK-00034"


async def test_tickets_made_at_once_have_numbers_of_their_own(systems: Held) -> None:
    made = await asyncio.gather(*(systems.help_desk.act(systems.tenant, f"k{n}", NEW) for n in range(30)))
    assert sorted(ticket.id for ticket in made) == [f"TCK-{number:05}" for number in range(33, 63)]
    assert (await systems.help_desk.act(systems.other, "k", NEW)).id == "TCK-00033"


async def test_fifty_acts_with_one_key_at_once_are_one(systems: Held) -> None:
    made = await asyncio.gather(*(systems.help_desk.act(systems.tenant, "key", NEW) for _ in range(50)))
    assert {ticket.id for ticket in made} == {"TCK-00033"}
    assert len(await everything(systems, systems.tenant)) == len(WRITTEN) + 1
    assert await systems.help_desk.outcome(systems.tenant, "key") == made[0]
    with pytest.raises(KeyReused):
        await systems.help_desk.act(systems.tenant, "key", UpdateTicket(OPEN, note="n"))


MISSING: list[TicketAction] = [
    CreateTicket("s", TicketCategory.OTHER, TicketPriority.LOW, "m", "CUS-99999"),
    CreateTicket("s", TicketCategory.OTHER, TicketPriority.LOW, "m", CUSTOMERS[0], "ORD-99999"),
    CreateTicket("s", TicketCategory.OTHER, TicketPriority.LOW, "m", CUSTOMERS[1], "ORD-10421"),
    UpdateTicket("TCK-99999", note="n"),
    UpdateTicket(OPEN, note="n", customer_id=CUSTOMERS[1]),
    Escalate(Team.FRAUD, "r", "TCK-99999"),
    Escalate(Team.FRAUD, "r", OPEN, CUSTOMERS[1]),
    Escalate(Team.FRAUD, "r", None, "CUS-99999"),
]


async def test_what_is_not_there_is_not_found(systems: Held) -> None:
    for action in MISSING:
        with pytest.raises(NotFound):
            await systems.help_desk.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)
    assert await systems.help_desk.outcome(systems.tenant, "k") is None


NEVER: list[TicketAction] = [
    CreateTicket("", TicketCategory.OTHER, TicketPriority.LOW, "m"),
    CreateTicket("s" * 201, TicketCategory.OTHER, TicketPriority.LOW, "m"),
    CreateTicket("s", TicketCategory.OTHER, TicketPriority.LOW, "m" * 10_001),
    CreateTicket("s", TicketCategory.OTHER, TicketPriority.LOW, "a\0b"),
    UpdateTicket(OPEN),
    UpdateTicket(OPEN, assignee="a" * 65),
    UpdateTicket(OPEN, note=" "),
    Escalate(Team.SUPPORT, ""),
]


async def test_what_can_never_be_done_is_refused(systems: Held) -> None:
    for action in NEVER:
        with pytest.raises(InvalidInput):
            await systems.help_desk.act(systems.tenant, "k", action)
    assert await everything(systems, systems.tenant) == await everything(systems, systems.other)


async def test_an_update_changes_what_is_given(systems: Held) -> None:
    act = systems.help_desk.act
    noted = await act(systems.tenant, "a", UpdateTicket(OPEN, note="Called."))
    assert [note.text for note in noted.notes] == ["Called."]
    assert (noted.status, noted.assignee) == (TicketStatus.OPEN, None)
    taken = await act(systems.tenant, "b", UpdateTicket(OPEN, TicketStatus.PENDING, "jonas", "Asked for a photo."))
    assert (taken.status, taken.assignee) == (TicketStatus.PENDING, "jonas")
    assert [note.text for note in taken.notes] == ["Called.", "Asked for a photo."]
    assert await systems.help_desk.tickets(systems.tenant, TicketFilter(OPEN)) == [taken]
    assert await act(systems.tenant, "a", UpdateTicket(OPEN, note="Called.")) == noted


MOVES = {
    OPEN: {"open", "pending", "resolved", "closed"},
    PENDING: {"open", "pending", "resolved", "closed"},
    RESOLVED: {"open", "resolved", "closed"},
    CLOSED: {"closed"},
}


async def test_a_ticket_goes_only_where_it_can(systems: Held) -> None:
    for ticket_id, allowed in MOVES.items():
        for status in set(TicketStatus) - {TicketStatus(name) for name in allowed}:
            with pytest.raises(Conflict, match="can become"):
                await systems.help_desk.act(systems.tenant, "no", UpdateTicket(ticket_id, status))
    for number, name in enumerate(("pending", "open", "resolved", "open", "resolved", "closed", "closed")):
        moved = await systems.help_desk.act(systems.tenant, f"{number}", UpdateTicket(OPEN, TicketStatus(name)))
        assert moved.status.value == name


async def test_a_closed_ticket_takes_notes_only(systems: Held) -> None:
    for action in (UpdateTicket(CLOSED, assignee="jonas"), Escalate(Team.SUPPORT, "angry", CLOSED)):
        with pytest.raises(Conflict):
            await systems.help_desk.act(systems.tenant, "k", action)
    noted = await systems.help_desk.act(systems.tenant, "k", UpdateTicket(CLOSED, note="Thanked us."))
    assert (noted.status, noted.assignee) == (TicketStatus.CLOSED, "maeve")


async def test_an_escalated_ticket_is_in_the_team_s_hands(systems: Held) -> None:
    ticket = await systems.help_desk.act(systems.tenant, "k", Escalate(Team.LOGISTICS, "Third parcel lost.", RESOLVED))
    assert (ticket.status, ticket.team, ticket.assignee) == (TicketStatus.OPEN, Team.LOGISTICS, None)
    assert ticket.priority is TicketPriority.HIGH
    assert [(note.text, note.team) for note in ticket.notes] == [("Third parcel lost.", Team.LOGISTICS)]
    assert await systems.help_desk.tickets(systems.tenant, TicketFilter(RESOLVED)) == [ticket]
    urgent = await systems.help_desk.act(systems.tenant, "l", Escalate(Team.FRAUD, "Stolen card.", PENDING))
    assert urgent.priority is TicketPriority.URGENT


async def test_a_conversation_without_a_ticket_gets_one(systems: Held) -> None:
    action = Escalate(Team.BILLING, "Charged twice.\nWants a person.", customer_id=CUSTOMERS[1])
    ticket = await systems.help_desk.act(systems.tenant, "k", action)
    assert (ticket.id, ticket.subject, ticket.customer_id) == ("TCK-00033", "Charged twice.", CUSTOMERS[1])
    assert (ticket.team, ticket.category, ticket.priority) == (Team.BILLING, "billing", "high")
    assert await systems.help_desk.outcome(systems.tenant, "k") == ticket


async def test_nothing_crosses_from_tenant_to_tenant(systems: Held) -> None:
    theirs = await everything(systems, systems.other)
    mine = await systems.help_desk.act(systems.tenant, "key", Escalate(Team.FRAUD, "Mine.", OPEN))
    created = await systems.help_desk.act(systems.tenant, "key-2", NEW)
    assert await everything(systems, systems.other) == theirs
    assert await systems.help_desk.outcome(systems.other, "key") is None
    with pytest.raises(NotFound):
        await systems.help_desk.act(systems.other, "k", UpdateTicket(created.id, note="Not mine."))
    other = await systems.help_desk.act(systems.other, "key", UpdateTicket(OPEN, note="Theirs."))
    assert [note.text for note in other.notes] == ["Theirs."]
    assert await systems.help_desk.tickets(systems.tenant, TicketFilter(OPEN)) == [mine]
    assert await everything(systems, "nobody") == []
