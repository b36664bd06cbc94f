"""A ticket with everything that is known about it: the call that this speaks for, and what a reply can say.

Nothing here is read or done. Where nothing speaks for a call, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents import replying, telling
from agents.conversation import Say, Wanted
from agents.support import accounted, team_of
from agents.tools.tool import Subject
from agents.triage import Judged, Triaged
from core.orders import Order, OrderStatus
from core.tickets import Team, Ticket, TicketCategory, TicketPriority, TicketStatus
from core.types import Answer

WAITING = (TicketStatus.OPEN, TicketStatus.PENDING)
"""Tickets on which somebody has to act."""

READINGS = ("lookup_order", "list_orders")
# From here on a judgement counts as a reason; a person sees it with its probability.
_LIKELY = 0.5
_PRESSING = (TicketPriority.HIGH, TicketPriority.URGENT)
_ABOUT_ORDERS = (TicketCategory.DELIVERY, TicketCategory.RETURNS, TicketCategory.BILLING)


@dataclass(frozen=True, slots=True)
class Case:
    """What was found out about a ticket.

    `subject` binds calls to the ticket and its customer. `earlier` is the customer's open ticket about the same
    matter. `order` is the customer's own that the ticket is about. `choice` is what support makes of the wish for
    `tool`, None where the words ask for no tool.
    """

    ticket: Ticket
    subject: Subject
    triaged: Triaged
    answer: Answer
    earlier: Ticket | None = None
    order: Order | None = None
    tool: str = ""
    choice: Wanted | Say | None = None

    @property
    def team(self) -> Team:
        """Who looks after it."""
        return team_of(self.triaged.category.value)

    def action(self) -> Wanted | None:
        """The next call, with what speaks for it; None for a ticket that waits for nobody."""
        if self.ticket.status not in WAITING:
            return None
        if self.earlier is not None:
            return self._closed_for(self.earlier)
        if isinstance(self.choice, Wanted) and not self._is(TicketCategory.FRAUD):
            return self.choice if self.choice.reasons else replace(self.choice, reasons=("the words ask for it",))
        why = self._why_a_person()
        if why and self.team is not self.ticket.team:
            return self._wanted("escalate_to_human", {"team": self.team.value, "reason": "; ".join(why)}, why)
        if self.tool in READINGS and self.order is not None:
            return self._wanted("lookup_order", {"order_id": self.order.id}, (telling.order_line(self.order),))
        return None

    def paragraphs(self, action: Wanted | None) -> list[str]:
        """What a reply says along with that call: the records, what is being done, the documents, who goes on."""
        if self.earlier is not None and action is not None:
            return [replying.repeated(self.earlier.id)]
        told = [self._records(action), "" if self.answer.declined else self.answer.text]
        if action is not None and action.tool == "escalate_to_human":
            return [*told, replying.handed_on(Team(action.arguments["team"]))]
        acts = action is not None and action.tool not in READINGS
        if not self.answer.declined or acts or self._asks:
            return told
        if self.triaged.sentiment.value == "positive" and self.choice is None:
            return [replying.THANKS]
        category = TicketCategory(self.triaged.category.value)
        nameless = self.order is None and category in _ABOUT_ORDERS
        return [*told, replying.handed_on(self.team), replying.WHICH_ORDER if nameless else ""]

    def _records(self, action: Wanted | None) -> str:
        """What the records show, as far as the ticket is about that."""
        doing = replying.doing(action, self.order) if action is not None else ""
        if doing:
            return doing
        if isinstance(self.choice, Say) and (self.order is not None or (self._asks and self.answer.declined)):
            return replying.words(self.choice, self.tool, self.order)
        if self.order is None:
            return ""
        shows = self.answer.declined or self._is(TicketCategory.DELIVERY) or self.order.status is OrderStatus.LOST
        return telling.order_status(self.order) if shows else ""

    @property
    def _asks(self) -> bool:
        """Whether support asks back for what is missing."""
        return isinstance(self.choice, Say) and self.choice.matter.get("asked") is not None

    def _closed_for(self, earlier: Ticket) -> Wanted:
        given = {"ticket_id": self.ticket.id, "status": "closed", "note": f"Duplicate of {earlier.id}"}
        reasons = (f"{earlier.id} is the same customer's, came before and is {earlier.status}", "the two are alike")
        return self._wanted("update_ticket", given, reasons)

    def _why_a_person(self) -> list[str]:
        """What speaks for a team of people."""
        category, priority, sentiment = self.triaged.category, self.triaged.priority, self.triaged.sentiment
        why = []
        if self._is(TicketCategory.FRAUD):
            why.append(_judged(category))
        if priority.value == TicketPriority.URGENT:
            why.append(_judged(priority))
        if self._is(TicketCategory.TECHNICAL) and self.answer.declined:
            why += [_judged(category), "the documents do not answer it"]
        if sentiment.value == "negative" and sentiment.sure and priority.value in _PRESSING:
            why += [_judged(sentiment), _judged(priority)]
        if self.order is not None and self.order.status is OrderStatus.LOST:
            why += accounted(self.order)
        return list(dict.fromkeys(why))

    def _wanted(self, tool: str, arguments: dict[str, str], reasons: Sequence[str]) -> Wanted:
        return Wanted(tool, arguments, self.subject.given(), tuple(reasons))

    def _is(self, category: TicketCategory) -> bool:
        judged = self.triaged.category
        return judged.value == category and judged.confidence >= _LIKELY


def _judged(judged: Judged) -> str:
    return f"judged {judged.value} (probability {judged.confidence:.2f})"
