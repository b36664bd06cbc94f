"""The support agent's choices: what a customer's wish comes to, given the customer's own records."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents import attached, observed, slots, telling
from agents.conversation import Choice, Matter, Say, Wanted
from agents.hands import Hands
from agents.said import CONFIRMATION, OFFER, Said, question, which
from agents.triage import Triage, Triaged
from core.errors import NotFound
from core.orders import Order, OrderStatus
from core.tickets import Team, TicketCategory
from core.types import Role

UNDERWAY = frozenset({OrderStatus.PLACED, OrderStatus.PACKING, OrderStatus.SHIPPED})
# How many orders one answer names.
_NAMED = 5
_SUBJECT = 120
# A colon before an address quotes nobody.
_LEADS_IN = re.compile(r"\b(?:to|address|is|be)\s*:\s", re.IGNORECASE)
# What the tools do, as people say it; told not to, nobody does it.
_CANCELLING = "cancel|annul|abort|scrap|withdraw|undo|call(?:ing)? (?:it )?off"
_PAYING = "refund|pay|reimburse|return|give"
_SETTLING = "clos|resolv|reopen|open"
_TEAMS = {
    TicketCategory.BILLING: Team.BILLING,
    TicketCategory.FRAUD: Team.FRAUD,
    TicketCategory.DELIVERY: Team.LOGISTICS,
    TicketCategory.TECHNICAL: Team.TECHNICAL,
}
_STATUS_WORDS = {"reopen": "open", "open": "open", "pending": "pending", "resolve": "resolved", "close": "closed"}
_SOLVED = re.compile(r"\b(solved|done|don't need|do not need|works again|withdraw|forget it|obsolete)\b", re.IGNORECASE)
_NOTE = re.compile(r"(?:\bnote\b[^:]*:|:|\b(?:saying|that)\b)\s*(.+)", re.IGNORECASE | re.DOTALL)
_ASSIGN = re.compile(r"\b(?:assign\b.*?\bto|give\b.*?\bto|hand\b.*?\bto|over to)\s+([a-z]+)", re.IGNORECASE)


class Support:
    """Chooses calls of the support tools, or words where a call cannot be made yet."""

    def __init__(self, hands: Hands, triage: Triage) -> None:
        self._hands = hands
        self._triage = triage
        self._by_tool: Mapping[str, Callable[[Said], Awaitable[Choice]]] = {
            "list_orders": self._list_orders,
            "lookup_order": self._lookup_order,
            "cancel_order": self._cancel_order,
            "change_delivery_address": self._change_address,
            "issue_refund": self._refund,
            "create_ticket": self._create_ticket,
            "update_ticket": self._update_ticket,
            "escalate_to_human": self._escalate,
        }

    async def choose(self, tool: str, said: Said) -> Choice:
        """What to do about a wish for `tool`. Raises what `Hands.read` raises, but for orders that do not exist."""
        return await self._by_tool[tool](said)

    async def proposed(self, said: Said) -> Choice:
        """Say what the pictures and the voice show, who would look after it and how soon, and offer a ticket."""
        made_out = observed.joined(said.observed)
        triaged = await self._triage.classify(said.text or attached.listed(said.files), made_out)
        team = team_of(triaged.category.value)
        shown = telling.capital("; ".join(observed.reasons(made_out)))
        who = f"This is for our {team.value} team, with {triaged.priority.value} priority."
        return Say(f"{shown}. {who} {OFFER}", Matter(offer=said.text or f"About {attached.listed(said.files)}"))

    async def ticket(self, said: Said, about: str) -> Choice:
        """Open a ticket about that.

        What it is of is judged by the person's own words, not by the files'; pictures and voices are weighed in.
        """
        about = about.strip() or f"About {attached.listed(said.recent) or 'a file'}"
        triaged = await self._triage.classify(about, observed.joined(said.observed))
        first = " ".join(about.splitlines()[0].split())
        return [
            Wanted(
                "create_ticket",
                {
                    "subject": first if len(first) <= _SUBJECT else first[: _SUBJECT - 1] + "…",
                    "category": triaged.category.value,
                    "priority": triaged.priority.value,
                    "summary": "\n\n".join([_with_notes(about, said), *_because(triaged)]),
                },
                self._subject(said),
            )
        ]

    async def _list_orders(self, said: Said) -> Choice:
        if said.customer is None:
            return Say("Whose orders? Please give me the customer's id, such as CUS-00210.")
        orders = await self._orders(said)
        if not orders:
            return Say(f"There are no orders of {said.customer}.")
        named = "\n".join(f"- {telling.order_line(order)}" for order in orders[:_NAMED])
        more = f"\nand {len(orders) - _NAMED} earlier ones." if len(orders) > _NAMED else ""
        return Say(f"The latest orders:\n{named}{more}", Matter(order_id=orders[0].id))

    async def _lookup_order(self, said: Said) -> Choice:
        meant = await self._meant(said, "lookup_order")
        if isinstance(meant, Say):
            return meant
        if meant is not None:
            return Say(telling.order_status(meant), Matter(order_id=meant.id))
        orders = await self._orders(said)
        underway = [order for order in orders if order.status in UNDERWAY | {OrderStatus.LOST}]
        told = (underway or orders[:1])[:_NAMED]
        if not told:
            return Say("I find no orders under your account.")
        return Say("\n".join(telling.order_status(order) for order in told), Matter(order_id=told[0].id))

    async def _cancel_order(self, said: Said) -> Choice:
        """Nothing brings a cancelled order back, so it is named and consented to before, unless it was told to go."""
        answers = said.answers
        if slots.forbids(said.text, _CANCELLING):
            return await self._lookup_order(said)
        order = await self._placed(said, "cancel_order", "cancelled", "Which order shall I cancel?")
        if isinstance(order, Say):
            return order
        if answers is not None and answers["wanted"] == CONFIRMATION:
            told = slots.agrees(said.text) is True
        else:
            told = slots.outright(said.text) and (answers is not None or bool(slots.ids(said.text, "ORD")))
        if not told:
            ask = f"Shall I cancel {telling.order_line(order)}?"
            return question(said, "cancel_order", CONFIRMATION, ask, [order.id], Matter(order_id=order.id))
        reason = answers["text"] if answers is not None else said.text
        arguments = {"order_id": order.id, "reason": _shortened(reason)}
        return [Wanted("cancel_order", arguments, self._subject(said), _unpacked(order))]

    async def _change_address(self, said: Said) -> Choice:
        order = await self._placed(said, "change_delivery_address", "sent elsewhere", "Which order is it?")
        if isinstance(order, Say):
            return order
        asked = said.answers is not None and said.answers["wanted"] == "address"
        address = slots.address(said.text, asked=asked)
        if address is None and said.answers is not None and not asked:
            address = slots.address(said.answers["text"])
        if address is not None and not asked and self._doubtful(said):
            ask = f"Shall I send {order.id} to {address}?"
            return question(said, "change_delivery_address", CONFIRMATION, ask, [order.id], Matter(order_id=order.id))
        if address is None:
            ask = f"{order.id} goes to: {order.address}. What is the whole new address, with street, number and city?"
            return question(said, "change_delivery_address", "address", ask, known=Matter(order_id=order.id))
        arguments = {"order_id": order.id, "address": address}
        goes = (*_unpacked(order), f"it goes to {order.address} at present")
        return [Wanted("change_delivery_address", arguments, self._subject(said), goes)]

    def _doubtful(self, said: Said) -> bool:
        """Whether it is not plain that the speaker wants it: their words are passed on, and no yes has come to it."""
        answers = said.answers
        if said.reported:
            # Suggested to the staff, who decide.
            return False
        if answers is not None and answers["wanted"] == CONFIRMATION:
            return slots.agrees(said.text) is not True
        return slots.passed_on(_LEADS_IN.sub(" ", said.text if answers is None else answers["text"]))

    async def _refund(self, said: Said) -> Choice:
        """What the records show is owed: charged above the total, or charged for what was lost. Nothing else.

        Somebody of the staff may name the amount; a customer's word alone moves no money.
        """
        meant = await self._meant(said, "issue_refund")
        if isinstance(meant, Say):
            return meant
        staff = said.caller.principal.role is not Role.CLIENT and not said.reported
        before = said.answers["text"] if said.answers is not None else ""
        wanted = said.text if slots.amount(said.text) is not None else before
        named = slots.amount(wanted)
        if staff and slots.forbids(said.text, _PAYING):
            return await self._lookup_order(said)
        if staff and meant is not None and named is not None:
            return [self._paid_back(said, meant, named, _shortened(wanted))]
        orders = [meant] if meant is not None else await self._orders(said)
        owed = [(order, *_owed(order)) for order in orders if _owed(order)[0] > 0]
        if len(owed) == 1:
            return [self._paid_back(said, *owed[0])]
        if owed:
            named_orders = "; ".join(f"{order.id}: {why}" for order, _, why in owed)
            ask = f"I see more than one: {named_orders}. Which order do you mean?"
            return question(said, "issue_refund", "order_id", ask, [order.id for order, *_ in owed])
        return self._nothing_owed(said, orders)

    def _nothing_owed(self, said: Said, orders: Sequence[Order]) -> Say:
        twice = [order for order in orders if order.charged > order.total and order.refunded]
        if twice:
            order = twice[0]
            text = (
                f"{order.id} was charged {order.charged:.2f} EUR for a total of {order.total:.2f} EUR, and "
                f"{order.refunded:.2f} EUR have been paid back already. Nothing more is owed."
            )
        elif len(orders) == 1:
            order = orders[0]
            text = (
                f"For {order.id} the records show {order.charged:.2f} EUR charged for a total of {order.total:.2f} EUR "
                f"and {order.refunded:.2f} EUR refunded, so I cannot pay anything back by myself."
            )
        else:
            text = (
                f"I looked at your {len(orders)} latest orders: none was charged more than its total. A second amount "
                "on your statement may be a reservation that your bank has not released yet."
            )
        return Say(f"{text} {OFFER}", Matter(offer=said.text))

    async def _create_ticket(self, said: Said) -> Choice:
        about = _content(said)
        if about is None:
            ask = "What is it about? A sentence or two, and I open the ticket."
            return question(said, "create_ticket", "summary", ask)
        return await self.ticket(said, about)

    async def _update_ticket(self, said: Said) -> Choice:
        at_hand = said.caller.subject.ticket_id
        known = [at_hand] if at_hand is not None else slots.ids(said.text, "TCK")
        if not known and said.answers is not None:
            known = slots.ids(said.answers["text"], "TCK") or said.answers["candidates"]
        if not known:
            known = said.in_files("TCK") or said.in_files("TCK", earlier=True)
            if len(known) > 1:
                return which(said, "update_ticket", "ticket_id", known)
        if not known:
            ask = "Which ticket? Its number looks like TCK-00031."
            return question(said, "update_ticket", "ticket_id", ask)
        text = said.answers["text"] if said.answers else said.text
        arguments: dict[str, Any] = {"ticket_id": known[0]}
        lowered = text.casefold()
        settles = not slots.forbids(text, _SETTLING)
        for word, status in _STATUS_WORDS.items():
            if settles and re.search(rf"\b{word}", lowered):
                arguments["status"] = status
                break
        if "status" not in arguments and _SOLVED.search(text):
            arguments["status"] = "resolved"
        if assigned := _ASSIGN.search(text):
            arguments["assignee"] = assigned[1].casefold()
        elif "status" not in arguments:
            note = _NOTE.search(text)
            arguments["note"] = (note[1] if note else text).strip()
        return [Wanted("update_ticket", arguments, said.caller.subject.given())]

    async def _escalate(self, said: Said) -> Choice:
        about = "\n".join(said.history[-3:])
        named = [team for team in Team if re.search(rf"\b{team.value}\b", said.text, re.IGNORECASE)]
        triaged: Triaged = await self._triage.classify(about, observed.joined(said.observed))
        team = named[0] if named else team_of(triaged.category.value)
        subject = self._subject(said)
        if "ticket_id" not in subject and (tickets := slots.ids(said.text, "TCK")):
            subject["ticket_id"] = tickets[0]
        reason = _with_notes(about.strip() or f"About {attached.listed(said.recent) or 'a file'}", said)
        return [Wanted("escalate_to_human", {"team": team.value, "reason": reason}, subject)]

    async def _placed(self, said: Said, tool: str, done: str, ask: str) -> Order | Say:
        """The order that is meant and can still be changed, or what to say instead."""
        meant = await self._meant(said, tool)
        if isinstance(meant, Say):
            return meant
        if meant is not None:
            return meant if meant.status is OrderStatus.PLACED else _too_late([meant], done)
        orders = await self._orders(said)
        placed = [order for order in orders if order.status is OrderStatus.PLACED]
        if not placed:
            underway = [order for order in orders if order.status in UNDERWAY]
            return _too_late(underway or orders[:1], done)
        if len(placed) == 1:
            return placed[0]
        named = "; ".join(telling.order_line(order) for order in placed[:_NAMED])
        return question(said, tool, "order_id", f"{ask} {named}.", [order.id for order in placed])

    async def _meant(self, said: Said, tool: str) -> Order | Say | None:
        """The order that the message, or else a file with it, names or points at; None where they do neither."""
        named = slots.ids(said.text, "ORD")
        answered = said.answers
        if not named and answered is not None:
            chosen = slots.places(said.text, len(answered["candidates"]))
            if chosen or answered["wanted"] == CONFIRMATION:
                named = [answered["candidates"][chosen[0] if chosen else 0]]
            else:
                named = slots.ids(answered["text"], "ORD")
        filed = [] if named else said.in_files("ORD")
        if not named and not filed:
            if said.matter.get("order_id") and (answered is not None or slots.points_back(said.text)):
                named = [said.matter["order_id"]]
            elif said.caller.subject.order_id is not None:
                named = [said.caller.subject.order_id]
            else:
                filed = said.in_files("ORD", earlier=True)
        if len(filed) > 1:
            return which(said, tool, "order_id", filed)
        named = named or filed
        if not named:
            if said.customer is None:
                return Say("Which order is it? Its number looks like ORD-10421.")
            return None
        try:
            return telling.order_of(await self._hands.read(said.caller, "lookup_order", {"order_id": named[0]}))
        except NotFound:
            return Say(f"I find no order {named[0]} that I may show you. Please check the number.")

    async def _orders(self, said: Said) -> list[Order]:
        return telling.orders_of(await self._hands.read(said.caller, "list_orders", {"customer_id": said.customer}))

    def _paid_back(self, said: Said, order: Order, amount: Decimal, reason: str) -> Wanted:
        arguments = {"order_id": order.id, "amount": f"{amount:.2f}", "reason": reason}
        return Wanted("issue_refund", arguments, self._subject(said), accounted(order))

    def _subject(self, said: Said) -> dict[str, str]:
        customer = said.customer
        return {**said.caller.subject.given(), **({"customer_id": customer} if customer is not None else {})}


def team_of(category: str) -> Team:
    """Who looks after tickets of that category."""
    return _TEAMS.get(TicketCategory(category), Team.SUPPORT)


def accounted(order: Order) -> tuple[str, ...]:
    """What was taken and paid back for an order, and what follows, each step a line."""
    charged, total, refunded = order.charged, order.total, order.refunded
    left = f"{charged:.2f} - {refunded:.2f} = {charged - refunded:.2f} EUR"
    above = f"{charged:.2f} - {total:.2f} - {refunded:.2f} = {charged - total - refunded:.2f} EUR"
    return (
        f"{order.id} has a total of {total:.2f} EUR, and {charged:.2f} EUR were charged for it",
        f"{refunded:.2f} EUR have been paid back" if refunded else "nothing has been paid back yet",
        f"it was lost on its way: {left} are owed" if order.status is OrderStatus.LOST else f"{above} too much",
    )


def _unpacked(order: Order) -> tuple[str, ...]:
    return (f"the customer asks for it: {telling.order_line(order)}", "it is placed and not yet packed")


def _owed(order: Order) -> tuple[Decimal, str]:
    """What is owed for an order by the records, and why."""
    if order.status is OrderStatus.LOST and order.refundable > 0:
        return order.refundable, f"lost on its way, {order.charged:.2f} EUR charged"
    above = min(order.charged - order.total - order.refunded, order.refundable)
    return above, f"charged {order.charged:.2f} EUR for a total of {order.total:.2f} EUR"


def _too_late(orders: Sequence[Order], done: str) -> Say:
    if not orders:
        return Say("I find no orders under your account.")
    told = " ".join(f"{order.id} is {order.status}." for order in orders[:_NAMED])
    return Say(
        f"{told} Only an order that is placed and not yet packed can be {done}. {OFFER}",
        Matter(order_id=orders[0].id, offer=f"{orders[0].id} ({orders[0].status}) cannot be {done} any more"),
    )


_BARE = re.compile(
    r"\b(?:please|can|could|you|i|want|to|would|like|open|create|make|raise|file|log|start|put|in|a|an|the|new|ticket|"
    r"case|complaint|request|issue|claim|support|for|me|my|it|this|that|somebody|someone|look|into|about|yes|formal|"
    r"with|report|problem|need|kindly|register|of|on|record|take|care)\b|\W",
    re.IGNORECASE,
)


def _content(said: Said) -> str | None:
    """What a ticket would be about: the message, or the one before where it only asks for a ticket."""
    if said.answers is not None:
        return said.text
    if said.files and not said.text:
        return ""
    if _BARE.sub("", said.text):
        return said.text
    earlier = [text for text in said.history[:-1] if _BARE.sub("", text)]
    return earlier[-1] if earlier else "" if said.files else None


def _with_notes(text: str, said: Said) -> str:
    notes = filter(None, (attached.note(said.recent), observed.note(said.observed)))
    return "\n\n".join((text, *notes))


def _because(triaged: Triaged) -> list[str]:
    """What, besides the words, made the ticket what it is."""
    judged = (("Category", triaged.category), ("Priority", triaged.priority))
    return [f"{name} {each.value}: {each.because}." for name, each in judged if each.because]


def _shortened(text: str) -> str:
    return " ".join(text.split())[:500]
