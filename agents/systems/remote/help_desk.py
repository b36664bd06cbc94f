"""A company's help desk behind an HTTP API."""

from __future__ import annotations

from agents.systems.remote.operation import Noun, Operation
from agents.systems.remote.system import RemoteSystem
from agents.systems.rules.words import check_action, check_key, check_query
from core.errors import NotFound
from core.systems import HelpDeskSettings
from core.tickets import CreateTicket, Escalate, Ticket, TicketAction, TicketFilter, UpdateTicket


class RemoteHelpDesk:
    """See `core.ports.HelpDesk`. Raises `InvalidInput` when an expression in the settings is none."""

    def __init__(self, system: RemoteSystem, settings: HelpDeskSettings) -> None:
        self._system = system
        told, ticket = settings.operations, Noun("ticket", settings.nouns.ticket, Ticket)
        self._tickets = Operation("tickets", told.tickets, ticket.each)
        self._ticket = Operation("ticket", told.ticket, ticket.one) if told.ticket else None
        self._outcome = Operation("outcome", told.outcome, ticket.one)
        self._acts = {
            CreateTicket: Operation("create", told.create, ticket.one, acts=True),
            UpdateTicket: Operation("update", told.update, ticket.one, acts=True),
            Escalate: Operation("escalate", told.escalate, ticket.one, acts=True),
        }

    async def tickets(self, tenant: str, wanted: TicketFilter) -> list[Ticket]:
        """See `HelpDesk.tickets`. What the system gives beyond what was asked for is left out."""
        check_query(wanted)
        if self._ticket is not None and wanted.ticket_id is not None:
            found = await self._system.read(self._ticket, tenant, wanted)
            tickets = [] if found is None else [found]
        else:
            tickets = await self._system.read(self._tickets, tenant, wanted) or []
        return [ticket for ticket in tickets if _fits(ticket, wanted)][: wanted.limit]

    async def act(self, tenant: str, key: str, action: TicketAction) -> Ticket:
        """See `HelpDesk.act`. Whose ticket it is, is looked up first: few systems check that themselves."""
        check_key(key)
        check_action(action)
        ticket_id = None if isinstance(action, CreateTicket) else action.ticket_id
        if ticket_id is not None and action.customer_id is not None:
            owned = TicketFilter(ticket_id=ticket_id, customer_id=action.customer_id)
            if not await self.tickets(tenant, owned):
                raise NotFound(f"no ticket {ticket_id}", param="ticket_id")
        return await self._system.act(self._acts[type(action)], tenant, key, action)

    async def outcome(self, tenant: str, key: str) -> Ticket | None:
        """See `HelpDesk.outcome`."""
        check_key(key)
        return await self._system.read(self._outcome, tenant, {}, key)


def _fits(ticket: Ticket, wanted: TicketFilter) -> bool:
    return (
        wanted.ticket_id in (None, ticket.id)
        and wanted.customer_id in (None, ticket.customer_id)
        and wanted.order_id in (None, ticket.order_id)
        and (not wanted.statuses or ticket.status in wanted.statuses)
    )
