"""The words of the help desk: tickets, what may be asked for, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime


class TicketCategory(StrEnum):
    """What a ticket is about."""

    DELIVERY = "delivery"
    RETURNS = "returns"
    BILLING = "billing"
    ACCOUNT = "account"
    PRODUCT = "product"
    TECHNICAL = "technical"
    FRAUD = "fraud"
    OTHER = "other"


class TicketPriority(StrEnum):
    """How soon a ticket must be seen."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class TicketStatus(StrEnum):
    """Who has to act: the staff (open), the customer (pending), or nobody."""

    OPEN = "open"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Team(StrEnum):
    """Whom a ticket can be handed to."""

    SUPPORT = "support"
    BILLING = "billing"
    FRAUD = "fraud"
    LOGISTICS = "logistics"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class TicketNote:
    """Something that the staff wrote on a ticket. `team` is set where the ticket was handed over with it."""

    at: AwareDatetime
    text: str
    team: Team | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A customer's request.

    `message` is what the customer wants, `notes` are the staff's, the oldest first. `team` is the one that the
    ticket was last handed to; `duplicate_of` is the earlier ticket about the same thing, where there is one.
    """

    id: str
    customer_id: str | None
    order_id: str | None
    subject: str
    message: str
    category: TicketCategory
    priority: TicketPriority
    status: TicketStatus
    assignee: str | None
    team: Team | None
    created: AwareDatetime
    duplicate_of: str | None = None
    notes: tuple[TicketNote, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets are wanted: those that fit everything that is given. No `statuses` means any."""

    ticket_id: str | None = None
    customer_id: str | None = None
    order_id: str | None = None
    statuses: tuple[TicketStatus, ...] = ()
    limit: int = 50


@dataclass(frozen=True, slots=True)
class CreateTicket:
    """Open a ticket, for a customer where one is known, about an order where it is about one."""

    subject: str
    category: TicketCategory
    priority: TicketPriority
    summary: str
    customer_id: str | None = None
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateTicket:
    """Change what is given. With a `customer_id` only that customer's ticket is found."""

    ticket_id: str
    status: TicketStatus | None = None
    assignee: str | None = None
    note: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Escalate:
    """Hand a ticket to a team of people; without a `ticket_id`, open one for them about `reason`."""

    team: Team
    reason: str
    ticket_id: str | None = None
    customer_id: str | None = None


TicketAction = CreateTicket | UpdateTicket | Escalate
