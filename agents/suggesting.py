"""What the staff may do about a ticket: judgements, tickets alike, a reply with citations, the next call with reasons.

Nothing is done by suggesting. The reply's rules come from the documents that customers may see; the call is the one
that `agents.support` chooses from the ticket's words and the customer's own records, bound to that customer, so that a
ticket which names somebody else's order finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agents import attached, replying, slots, telling
from agents.actions import SUPPORT
from agents.casework import WAITING, Case
from agents.consulting import Consulting
from agents.conversation import Matter, Say, Wanted
from agents.hands import Hands
from agents.reception import Reception, Way
from agents.said import Said
from agents.support import Support
from agents.tools.tool import Caller, Subject
from agents.triage import Filed, Triage, Triaged
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.orders import Order
from core.ports import HelpDesk
from core.tickets import Team, Ticket, TicketFilter
from core.types import Citation, Principal, Usage

# How many open tickets are compared with: the customer's own, and the latest of all.
_OWN, _OTHERS = 50, 200


class Names(Protocol):
    """Knows customers by name."""

    async def name(self, tenant: str, customer_id: str) -> str | None:
        """The customer's name, or None where it is not known."""


@dataclass(frozen=True, slots=True)
class Alike:
    """An open ticket that may be about the same matter; `same_customer` makes it a repetition."""

    ticket_id: str
    cosine: float
    subject: str
    same_customer: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """A draft for the customer.

    `declined` says that the documents did not answer. `engine` and `usage` are what writing it took.
    """

    text: str
    citations: tuple[Citation, ...]
    declined: bool
    engine: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Everything there is to suggest about a ticket."""

    ticket_id: str
    triaged: Triaged
    team: Team
    duplicates: tuple[Alike, ...]
    reply: Reply
    next_action: Wanted | None


class Suggesting:
    """Makes suggestions. Safe to share between requests."""

    def __init__(
        self,
        help_desk: HelpDesk,
        names: Names,
        triage: Triage,
        reception: Reception,
        hands: Hands,
        consulting: Consulting,
    ) -> None:
        self._help_desk = help_desk
        self._names = names
        self._triage = triage
        self._reception = reception
        self._hands = hands
        self._support = Support(hands, triage)
        self._consulting = consulting

    async def suggest(self, principal: Principal, ticket_id: str) -> Suggestions:
        """Suggest what to do about the ticket; `principal` is somebody of the staff.

        Raises `NotFound` when the tenant has no such ticket, and a `SystemFault` when a system gave no answer.
        """
        found = await self._help_desk.tickets(principal.tenant, TicketFilter(ticket_id=ticket_id, limit=1))
        if not found:
            raise NotFound(f"no ticket {ticket_id}", param="ticket_id")
        ticket = found[0]
        alike, earlier = await self._alike(principal.tenant, ticket)
        case = await self._case(principal, ticket, earlier)
        action = case.action()
        name = await self._names.name(principal.tenant, ticket.customer_id) if ticket.customer_id else None
        text = replying.letter(name, case.paragraphs(action))
        answer = case.answer
        cited = answer.citations if answer.text in text else ()
        reply = Reply(text, cited, answer.declined, answer.engine, answer.usage)
        escalates = action is not None and action.tool == "escalate_to_human"
        team = Team(action.arguments["team"]) if action is not None and escalates else case.team
        return Suggestions(ticket.id, case.triaged, team, alike, reply, action)

    async def _alike(self, tenant: str, ticket: Ticket) -> tuple[tuple[Alike, ...], Ticket | None]:
        """The open tickets alike, and the customer's earliest among those that came before this one."""
        filters = [TicketFilter(statuses=WAITING, limit=_OTHERS)]
        if ticket.customer_id is not None:
            filters.append(TicketFilter(customer_id=ticket.customer_id, statuses=WAITING, limit=_OWN))
        read = [each for wanted in filters for each in await self._help_desk.tickets(tenant, wanted)]
        others = {each.id: each for each in read if each.id != ticket.id}
        filed = [Filed(each.id, _text(each), each.customer_id) for each in others.values()]
        found = await self._triage.duplicates(_text(ticket), filed, customer_id=ticket.customer_id)
        own = [others[each.ticket_id] for each in found if each.same_customer]
        before = [each for each in own if (each.created, each.id) < (ticket.created, ticket.id)]
        alike = (
            Alike(each.ticket_id, each.cosine, others[each.ticket_id].subject, each.same_customer) for each in found
        )
        return tuple(alike), min(before, key=lambda each: (each.created, each.id), default=None)

    async def _case(self, principal: Principal, ticket: Ticket, earlier: Ticket | None) -> Case:
        caller = Caller(principal, _subject(ticket))
        order = await self._order(caller)
        tool, choice = await self._choice(caller, _text(ticket), order)
        message = attached.without_note(ticket.message)
        return Case(
            ticket=ticket,
            subject=caller.subject,
            triaged=await self._triage.classify(_text(ticket)),
            answer=await self._consulting.ask(principal.tenant, ticket.id, ticket.subject, message),
            earlier=earlier,
            order=order,
            tool=tool,
            choice=choice,
        )

    async def _order(self, caller: Caller) -> Order | None:
        """The order that the ticket is about, where it is the customer's own."""
        order_id = caller.subject.order_id
        if order_id is None or "lookup_order" not in self._hands.tools(caller.principal):
            return None
        try:
            return telling.order_of(await self._hands.read(caller, "lookup_order", {"order_id": order_id}))
        except NotFound:
            return None

    async def _choice(self, caller: Caller, text: str, order: Order | None) -> tuple[str, Wanted | Say | None]:
        """The tool that the ticket's words ask for, and what support makes of it.

        Without a customer there are no records to look at: all that can be done is to hand it on.
        """
        usable = SUPPORT if caller.subject.customer_id is not None else ("escalate_to_human",)
        tools = self._hands.tools(caller.principal) & frozenset(usable)
        matter = Matter(order_id=order.id, latest="order_id") if order is not None else Matter()
        heading = await self._reception.heading(text, tools, matter, ())
        tool = heading["tool"]
        if heading["way"] != Way.TOOL or tool not in tools or tool == "create_ticket":
            return "", None
        try:
            chosen = await self._support.choose(tool, Said(caller, text, matter, [text], reported=True))
        except (NotFound, Conflict, InvalidInput, Forbidden):
            return "", None
        if isinstance(chosen, Say):
            return tool, chosen
        [wanted] = chosen
        if tool == "update_ticket" and "status" not in wanted.arguments:
            # The ticket says by itself what a note on it would say.
            return "", None
        return tool, wanted


def _subject(ticket: Ticket) -> Subject:
    """What calls about the ticket are bound to. Nobody's ticket is bound to no order, whatever it names."""
    if ticket.customer_id is None:
        return Subject(ticket_id=ticket.id)
    named = slots.ids(_text(ticket), "ORD")
    return Subject(ticket.customer_id, ticket.order_id or (named[0] if named else None), ticket.id)


def _text(ticket: Ticket) -> str:
    return f"{ticket.subject}\n{attached.without_note(ticket.message)}".strip() or ticket.id
