"""The life of a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.errors import Conflict, InvalidInput
from core.tickets import (
    CreateTicket,
    Escalate,
    Team,
    Ticket,
    TicketCategory,
    TicketNote,
    TicketPriority,
    TicketStatus,
    UpdateTicket,
)

NEXT = {
    TicketStatus.OPEN: {TicketStatus.PENDING, TicketStatus.RESOLVED, TicketStatus.CLOSED},
    TicketStatus.PENDING: {TicketStatus.OPEN, TicketStatus.RESOLVED, TicketStatus.CLOSED},
    TicketStatus.RESOLVED: {TicketStatus.OPEN, TicketStatus.CLOSED},
    TicketStatus.CLOSED: set[TicketStatus](),
}
"""Where a ticket can go from each status. Nothing leaves a closed one: its customer opens another."""

ABOUT = {
    Team.SUPPORT: TicketCategory.OTHER,
    Team.BILLING: TicketCategory.BILLING,
    Team.FRAUD: TicketCategory.FRAUD,
    Team.LOGISTICS: TicketCategory.DELIVERY,
    Team.TECHNICAL: TicketCategory.TECHNICAL,
}
"""What a ticket is about that is opened by handing a conversation to a team."""

_SUBJECT = 200


def created(ticket_id: str, action: CreateTicket, at: datetime) -> Ticket:
    """A new ticket, open and nobody's."""
    return Ticket(
        id=ticket_id,
        customer_id=action.customer_id,
        order_id=action.order_id,
        subject=action.subject,
        message=action.summary,
        category=action.category,
        priority=action.priority,
        status=TicketStatus.OPEN,
        assignee=None,
        team=None,
        created=at,
    )


def updated(ticket: Ticket, action: UpdateTicket, at: datetime) -> Ticket:
    """The ticket with what is given changed. A status that it already has is no change."""
    if action.status is None and action.assignee is None and action.note is None:
        raise InvalidInput("nothing to change: give a status, an assignee or a note")
    status = action.status or ticket.status
    if status is not ticket.status and status not in NEXT[ticket.status]:
        allowed = " or ".join(sorted(NEXT[ticket.status])) or "nothing else"
        raise Conflict(f"{ticket.id} is {ticket.status} and can become {allowed}, not {status}", param="status")
    if action.assignee is not None and ticket.status is TicketStatus.CLOSED:
        raise Conflict(f"{ticket.id} is closed: it takes notes only", param="assignee")
    notes = ticket.notes if action.note is None else (*ticket.notes, TicketNote(at, action.note))
    return replace(ticket, status=status, assignee=action.assignee or ticket.assignee, notes=notes)


def escalated(ticket: Ticket, action: Escalate, at: datetime) -> Ticket:
    """The ticket in the hands of the team: open, of high priority at least, and nobody's until one takes it."""
    if ticket.status is TicketStatus.CLOSED:
        raise Conflict(f"{ticket.id} is closed: open a new one", param="ticket_id")
    urgent = ticket.priority is TicketPriority.URGENT
    return replace(
        ticket,
        status=TicketStatus.OPEN,
        priority=TicketPriority.URGENT if urgent else TicketPriority.HIGH,
        assignee=None,
        team=action.team,
        notes=(*ticket.notes, TicketNote(at, action.reason, action.team)),
    )


def opened(ticket_id: str, action: Escalate, at: datetime) -> Ticket:
    """A new ticket for the team, about the reason."""
    subject = action.reason.strip().splitlines()[0][:_SUBJECT]
    new = CreateTicket(subject, ABOUT[action.team], TicketPriority.HIGH, action.reason, action.customer_id)
    return escalated(created(ticket_id, new, at), action, at)
