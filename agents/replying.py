"""A reply to a customer's ticket, as a member of staff may send it: greeting, what the records show, the cited answer.

It is a draft. What it says of orders is read from the customer's own records, what it says of rules stands in the
documents, and what it says is being done is the call that is suggested along with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents import telling
from agents.conversation import Say, Wanted
from agents.said import OFFER
from core.orders import Order
from core.tickets import Team

_CLOSE = "Kind regards,\nyour support team"
THANKS = "Thank you for writing to us. We are glad to hear it, and pass it on."
WHICH_ORDER = "Please tell us the number of your order (it looks like ORD-10421), so that we can look it up."


def letter(name: str | None, paragraphs: Sequence[str]) -> str:
    """The paragraphs between a greeting and a close."""
    greeting = f"Hello {name}," if name else "Hello,"
    return "\n\n".join([greeting, *(each for each in paragraphs if each), _CLOSE])


def doing(action: Wanted, order: Order | None) -> str:
    """What is being done for the customer by the suggested call; empty for one that only reads."""
    given: Mapping[str, Any] = action.arguments
    match action.tool:
        case "issue_refund":
            shown = f"{charges(order)} " if order is not None else ""
            return f"{shown}We are having {given['amount']} EUR paid back to you."
        case "cancel_order":
            return f"We are cancelling {given['order_id']}, as you asked."
        case "change_delivery_address":
            return f"We are having {given['order_id']} sent to this address instead: {given['address']}."
        case "update_ticket":
            return "We have noted it on your ticket."
        case _:
            return ""


def handed_on(team: Team) -> str:
    """A colleague takes it on."""
    return f"A colleague in our {team.value} team is looking into it, and will write to you."


def repeated(ticket_id: str) -> str:
    """The customer has written before."""
    return f"You have written to us about this before ({ticket_id}): we go on with that ticket, and answer you there."


def charges(order: Order) -> str:
    """What was taken for an order."""
    paid_back = f", of which {order.refunded:.2f} EUR have been paid back" if order.refunded else ""
    return (
        f"For {order.id} our records show {order.charged:.2f} EUR charged for a total of {order.total:.2f} EUR"
        f"{paid_back}."
    )


def words(said: Say, tool: str, order: Order | None) -> str:
    """What support says where it makes no call: its question, or what the records show of the order."""
    if said.matter.get("asked") is not None or order is None:
        return said.text.removesuffix(OFFER).strip()
    return charges(order) if tool == "issue_refund" else telling.order_status(order)
