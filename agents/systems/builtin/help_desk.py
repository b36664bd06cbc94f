"""The help desk on our own tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from agents.records import CustomerRecord, OrderRecord, TicketRecord
from agents.systems.builtin.outcomes import Outcomes, next_id
from agents.systems.rules.tickets import created, escalated, opened, updated
from agents.systems.rules.words import check_query
from agents.systems.tables import TicketNoteRecord
from core.database import Database, now
from core.errors import NotFound
from core.tickets import (
    CreateTicket,
    Escalate,
    Team,
    Ticket,
    TicketAction,
    TicketCategory,
    TicketFilter,
    TicketNote,
    TicketPriority,
    TicketStatus,
)


class BuiltinHelpDesk:
    """See `core.ports.HelpDesk`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outcomes = Outcomes(database, "help_desk", Ticket)

    async def tickets(self, tenant: str, wanted: TicketFilter) -> list[Ticket]:
        """See `HelpDesk.tickets`."""
        check_query(wanted)
        query = select(TicketRecord).where(TicketRecord.tenant == tenant).limit(wanted.limit)
        query = query.order_by(TicketRecord.created.desc(), TicketRecord.id.desc())
        if wanted.ticket_id is not None:
            query = query.where(TicketRecord.id == wanted.ticket_id)
        if wanted.customer_id is not None:
            query = query.where(TicketRecord.customer_id == wanted.customer_id)
        if wanted.order_id is not None:
            query = query.where(TicketRecord.order_id == wanted.order_id)
        if wanted.statuses:
            query = query.where(TicketRecord.status.in_([status.value for status in wanted.statuses]))
        async with self._database.session() as session:
            return await _tickets(session, tenant, (await session.scalars(query)).all())

    async def act(self, tenant: str, key: str, action: TicketAction) -> Ticket:
        """See `HelpDesk.act`."""
        return await self._outcomes.once(tenant, key, action, lambda session: self._do(session, tenant, action))

    async def outcome(self, tenant: str, key: str) -> Ticket | None:
        """See `HelpDesk.outcome`."""
        return await self._outcomes.find(tenant, key)

    async def _do(self, session: AsyncSession, tenant: str, action: TicketAction) -> Ticket:
        at = now()
        if isinstance(action, CreateTicket) or action.ticket_id is None:
            ticket = await self._new(session, tenant, action, at)
            record = TicketRecord(tenant=tenant, id=ticket.id, created=at)
            session.add(record)
            await _write(session, record, ticket, known=0)
            return ticket
        record = await _locked(session, tenant, action.ticket_id, action.customer_id)
        (before,) = await _tickets(session, tenant, [record])
        ticket = escalated(before, action, at) if isinstance(action, Escalate) else updated(before, action, at)
        await _write(session, record, ticket, known=len(before.notes))
        return ticket

    async def _new(self, session: AsyncSession, tenant: str, action: CreateTicket | Escalate, at: datetime) -> Ticket:
        customer = action.customer_id
        if customer is not None and await session.get(CustomerRecord, (tenant, customer)) is None:
            raise NotFound(f"no customer {customer}", param="customer_id")
        if isinstance(action, CreateTicket) and action.order_id is not None:
            order = await session.get(OrderRecord, (tenant, action.order_id))
            if order is None or customer not in (None, order.customer_id):
                raise NotFound(f"no order {action.order_id}", param="order_id")
        ticket_id = await next_id(self._database, session, tenant, "TCK", TicketRecord.id)
        if isinstance(action, CreateTicket):
            return created(ticket_id, action, at)
        return opened(ticket_id, action, at)


async def _locked(session: AsyncSession, tenant: str, ticket_id: str, customer_id: str | None) -> TicketRecord:
    record = await session.get(TicketRecord, (tenant, ticket_id), with_for_update=True)
    if record is None or customer_id not in (None, record.customer_id):
        raise NotFound(f"no ticket {ticket_id}", param="ticket_id")
    return record


async def _write(session: AsyncSession, record: TicketRecord, ticket: Ticket, known: int) -> None:
    """Bring the record to the ticket's state, and add its notes but for the first `known`."""
    for name in ("customer_id", "order_id", "subject", "message", "assignee", "duplicate_of"):
        setattr(record, name, getattr(ticket, name))
    record.category, record.priority = ticket.category.value, ticket.priority.value
    record.status, record.team = ticket.status.value, _value(ticket.team)
    await session.flush()
    for number, note in enumerate(ticket.notes[known:], start=known + 1):
        row = TicketNoteRecord(tenant=record.tenant, ticket_id=record.id, number=number, at=note.at, text=note.text)
        row.team = _value(note.team)
        session.add(row)


def _value(team: Team | None) -> str | None:
    return None if team is None else team.value


async def _tickets(session: AsyncSession, tenant: str, records: Sequence[TicketRecord]) -> list[Ticket]:
    """The records with their notes."""
    notes: dict[str, list[TicketNote]] = {record.id: [] for record in records}
    written = select(TicketNoteRecord).where(TicketNoteRecord.tenant == tenant, TicketNoteRecord.ticket_id.in_(notes))
    for note in await session.scalars(written.order_by(TicketNoteRecord.ticket_id, TicketNoteRecord.number)):
        notes[note.ticket_id].append(TicketNote(note.at, note.text, Team(note.team) if note.team else None))
    return [
        Ticket(
            id=record.id,
            customer_id=record.customer_id,
            order_id=record.order_id,
            subject=record.subject,
            message=record.message,
            category=TicketCategory(record.category),
            priority=TicketPriority(record.priority),
            status=TicketStatus(record.status),
            assignee=record.assignee,
            team=Team(record.team) if record.team else None,
            created=record.created,
            duplicate_of=record.duplicate_of,
            notes=tuple(notes[record.id]),
        )
        for record in records
    ]
