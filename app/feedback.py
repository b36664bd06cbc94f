"""Takes feedback: who may say what about which thing, and what that thing was, looked up here and not believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agents.corrections import OF_TICKETS, OF_TURNS, Kind
from agents.feedback import About, Feedback, FeedbackStore, Said
from agents.tools.tool import Caller
from core.canonical import JSON
from core.errors import Forbidden, InvalidInput, NotFound
from core.ports import HelpDesk
from core.tickets import TicketFilter
from core.types import Principal, Role

_FIELDS: Mapping[Kind, tuple[str, ...]] = {Kind.TURN: OF_TURNS, Kind.TICKET: OF_TICKETS}


class Answered(Protocol):
    """A turn as it was: what was asked, what was said, and which way it went (`way`, `tool`, `second`)."""

    @property
    def question(self) -> str:
        """The person's own words."""

    @property
    def answer(self) -> str | None:
        """What they were told, if the turn came that far."""

    @property
    def heading(self) -> Mapping[str, str] | None:
        """Where the turn went, where that is known."""

    @property
    def declined(self) -> bool:
        """Whether the documents did not support an answer."""


class Turns(Protocol):
    """Where turns can be looked up."""

    async def get(self, tenant: str, turn_id: str, owner: str | None = None) -> Answered:
        """Return the turn; with an `owner`, only one of that owner's. Raises `NotFound`."""


class FeedbackDesk:
    """Where feedback is handed in and taken back."""

    def __init__(self, store: FeedbackStore, turns: Turns, help_desk: HelpDesk) -> None:
        self.store = store
        self._turns = turns
        self._help_desk = help_desk

    async def give(self, principal: Principal, about: About, said: Said) -> Feedback:
        """Store what the principal says, with a snapshot of what it is about.

        Clients rate and comment on their own turns; whatever teaches or concerns a ticket takes staff. Raises
        `NotFound` for what the principal may not see, `Forbidden`, `InvalidInput` for a correction of another kind
        of thing, and what the help desk raises.
        """
        if said.rating is None and said.correction is None and not said.comment:
            raise InvalidInput("feedback needs a rating, a correction or a comment", param="rating")
        if said.correction is not None and said.kind not in _FIELDS[about.kind]:
            fitting = ", ".join(_FIELDS[about.kind])
            raise InvalidInput(f"a {about.kind.value} has no {said.kind}: {fitting}", param="correction")
        if principal.role is Role.CLIENT and (about.kind is Kind.TICKET or said.correction is not None):
            raise Forbidden("a client's key rates and comments on its own turns; the rest is for staff")
        snapshot = await (self._turn if about.kind is Kind.TURN else self._ticket)(principal, about.id)
        return await self.store.put(principal, Caller(principal).owner, about, said, snapshot)

    async def take_back(self, principal: Principal, feedback_id: str) -> None:
        """Remove it. Raises as `FeedbackStore.remove`."""
        await self.store.remove(principal, Caller(principal).owner, feedback_id)

    async def _turn(self, principal: Principal, turn_id: str) -> dict[str, JSON]:
        owner = Caller(principal).owner if principal.role is Role.CLIENT else None
        turn = await self._turns.get(principal.tenant, turn_id, owner)
        heading: JSON = None if turn.heading is None else dict(turn.heading)
        return {"text": turn.question, "answer": turn.answer, "heading": heading, "declined": turn.declined}

    async def _ticket(self, principal: Principal, ticket_id: str) -> dict[str, JSON]:
        found = await self._help_desk.tickets(principal.tenant, TicketFilter(ticket_id=ticket_id, limit=1))
        if not found:
            raise NotFound(f"no ticket {ticket_id}", param="about.id")
        ticket = found[0]
        return {
            "text": f"{ticket.subject}\n{ticket.message}",
            "subject": ticket.subject,
            "message": ticket.message,
            "category": ticket.category.value,
            "priority": ticket.priority.value,
        }
