"""/api/tickets: requests for help. Clients see and make their own; staff work on the company's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from agents.tools.arguments import Arguments, ChangeTicket, EscalateToHuman, Id, OpenTicket
from agents.tools.tool import Caller, Subject, as_json
from app.api.calls import ID, ApprovalView, PathId, perform
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone, Staff
from app.errors import responses
from app.tools import Tools
from core.errors import NotFound
from core.ports import HelpDesk
from core.tickets import Team, Ticket, TicketCategory, TicketFilter, TicketPriority, TicketStatus
from core.types import Principal, Role

_INTERNAL = ("assignee", "duplicate_of", "notes", "team")


class NoteView(BaseModel):
    """Something that the staff wrote. `team` is set where the ticket was handed over with it."""

    at: datetime
    text: str
    team: Team | None


class TicketView(BaseModel):
    """A request for help. Its assignee, team, notes and duplicates are for staff, and left out for clients."""

    object: str = "ticket"
    id: str
    customer_id: str | None
    order_id: str | None
    subject: str
    message: str
    category: TicketCategory
    priority: TicketPriority
    status: TicketStatus
    created: datetime
    assignee: str | None = None
    team: Team | None = None
    duplicate_of: str | None = None
    notes: list[NoteView] = []


class TicketList(BaseModel):
    """Tickets, the latest first; `has_more` when there are more than `limit`."""

    object: str
    data: list[TicketView]
    has_more: bool


class NewTicket(OpenTicket):
    """A request for help. Staff say whose it is; a client's is its own."""

    customer_id: Id | None = None
    order_id: Id | None = None


class TicketChange(Arguments):
    """What to change; a note is added."""

    status: TicketStatus | None = None
    assignee: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    note: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None


def routes(tools: Tools, help_desk: HelpDesk) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/tickets", tags=["tickets"], route_class=StrictJsonRoute)
    accepted: dict[int | str, dict[str, Any]] = {202: {"model": ApprovalView}}

    @router.get("", response_model=TicketList, responses=responses(502, 504))
    async def list_tickets(
        caller: Anyone,
        status: Annotated[list[TicketStatus] | None, Query()] = None,
        customer_id: Annotated[str | None, Query(pattern=ID)] = None,
        order_id: Annotated[str | None, Query(pattern=ID)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> Response:
        """List tickets that fit everything that is given: the company's for staff, a client's own for a client."""
        who = Caller(caller)
        # A client's key without a customer has no tickets: to the port, no customer would mean everybody's.
        other = caller.role is Role.CLIENT and customer_id not in (None, caller.customer_id)
        if who.visitor or other:
            return listing([], has_more=False)
        customer = who.subject.customer_id or customer_id
        wanted = TicketFilter(None, customer, order_id, tuple(status or ()), limit + 1)
        found = await help_desk.tickets(caller.tenant, wanted)
        return listing([_view(each, caller) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{ticket_id}", response_model=TicketView, responses=responses(404, 502, 504))
    async def get_ticket(ticket_id: PathId, caller: Anyone) -> Response:
        """Show a ticket."""
        who = Caller(caller)
        wanted = TicketFilter(ticket_id=ticket_id, customer_id=who.subject.customer_id, limit=1)
        found = [] if who.visitor else await help_desk.tickets(caller.tenant, wanted)
        if not found:
            raise NotFound(f"no ticket {ticket_id}", param="ticket_id")
        return Json(_view(found[0], caller))

    @router.post(
        "", status_code=201, response_model=TicketView, responses=accepted | responses(403, 404, 409, 422, 502, 504)
    )
    async def create_ticket(request: Request, body: NewTicket, caller: Anyone) -> Response:
        """Open a ticket."""
        arguments = body.model_dump(mode="json", include=set(OpenTicket.model_fields))
        subject = Subject(body.customer_id, body.order_id)
        return await perform(
            tools.acting, request, caller, "create_ticket", arguments, shown(caller), subject=subject, status=201
        )

    @router.post(
        "/{ticket_id}/update",
        response_model=TicketView,
        responses=accepted | responses(403, 404, 409, 422, 502, 504),
    )
    async def update_ticket(request: Request, ticket_id: PathId, body: TicketChange, caller: Staff) -> Response:
        """Change a ticket's status or assignee, or write a note on it."""
        given = ChangeTicket(ticket_id=ticket_id, **body.model_dump())
        arguments = given.model_dump(mode="json")
        return await perform(tools.acting, request, caller, "update_ticket", arguments, shown(caller))

    @router.post(
        "/{ticket_id}/escalate",
        response_model=TicketView,
        responses=accepted | responses(403, 404, 409, 422, 502, 504),
    )
    async def escalate_ticket(request: Request, ticket_id: PathId, body: EscalateToHuman, caller: Anyone) -> Response:
        """Hand a ticket to a team of people."""
        arguments = body.model_dump(mode="json")
        subject = Subject(ticket_id=ticket_id)
        return await perform(
            tools.acting, request, caller, "escalate_to_human", arguments, shown(caller), subject=subject
        )

    def shown(caller: Principal) -> Any:
        return lambda ticket: _shown(ticket, caller)

    return router


def _view(ticket: Ticket, principal: Principal) -> dict[str, Any]:
    said: Any = as_json(ticket)
    return _shown(said, principal)


def _shown(ticket: Any, principal: Principal) -> dict[str, Any]:
    """The ticket as this caller may see it."""
    hidden = _INTERNAL if principal.role is Role.CLIENT else ()
    return {"object": "ticket", **{name: value for name, value in ticket.items() if name not in hidden}}
