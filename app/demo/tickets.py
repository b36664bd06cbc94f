"""Support tickets: the texts are written in `tickets.jsonl`, whom and which order they concern is drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.demo.orders import seen_at
from core.orders import OrderStatus
from core.tickets import Team, TicketCategory, TicketPriority, TicketStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from app.demo.catalog import Product
    from app.demo.customers import Customer
    from app.demo.orders import Order

TEXTS = Path(__file__).with_name("tickets.jsonl")

WINDOW = timedelta(days=24)
"""How far back the oldest of these tickets goes."""

FRESH = timedelta(days=10)
"""Younger tickets are open or pending; some of the older ones have been closed."""

ASSIGNEES = ("maeve", "jonas", "sietske", "paolo")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A customer's request. `duplicate_of` is the id of an earlier ticket about the same thing."""

    id: str
    customer_id: str
    order_id: str | None
    subject: str
    message: str
    category: TicketCategory
    priority: TicketPriority
    status: TicketStatus
    assignee: str | None
    created: datetime
    duplicate_of: str | None
    team: Team | None = None


def draw_tickets(
    random: np.random.Generator,
    products: Sequence[Product],
    customers: Sequence[Customer],
    orders: Sequence[Order],
    today: date,
) -> tuple[Ticket, ...]:
    """Draw one ticket for each written text, the earliest first."""
    now = seen_at(today)
    names = {product.sku: product.name for product in products}
    rows = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    written: list[Ticket] = []
    used: set[str] = set()
    for row in rows:
        original = written[row["repeats"] - 1] if "repeats" in row else None
        order = _order(row, original, orders, used)
        if order is not None:
            used.add(order.id)
        written.append(_ticket(random, row, original, order, customers, now, names, len(written)))
    return _numbered(written)


def _order(row: Mapping[str, Any], original: Ticket | None, orders: Sequence[Order], used: set[str]) -> Order | None:
    """Find the latest order in the state that the text speaks of, or the one of the ticket it repeats."""
    if row["about"] == "none":
        return None
    if original is not None:
        return next(order for order in orders if order.id == original.order_id)
    return next(order for order in reversed(orders) if order.id not in used and _fits(row["about"], order))


def _fits(about: str, order: Order) -> bool:
    if about == "double":
        return order.charged > order.total
    return order.status is OrderStatus(about)


def _ticket(
    random: np.random.Generator,
    row: Mapping[str, Any],
    original: Ticket | None,
    order: Order | None,
    customers: Sequence[Customer],
    now: datetime,
    names: Mapping[str, str],
    place: int,
) -> Ticket:
    """Write a ticket; its id is its place until all are in order of time. Duplicates come within a day or two."""
    if original is not None:
        customer_id = original.customer_id
        created = original.created + (now - original.created) * random.uniform(0.05, 0.4)
    else:
        customer_id = order.customer_id if order else customers[int(random.integers(len(customers)))].id
        since = max(order.delivered or order.shipped or order.placed, now - WINDOW) if order else now - WINDOW
        created = since + (now - since) * random.uniform(0.05, 0.95)
    message = row["message"]
    if order is not None:
        message = message.format(
            order=order.id,
            tracking=order.tracking,
            total=f"{order.total} euro",
            product=names[order.lines[0].sku],
        )
    status, assignee = _progress(random, now - created)
    return Ticket(
        id=str(place),
        customer_id=customer_id,
        order_id=order.id if order else None,
        subject=row["subject"],
        message=message,
        category=TicketCategory(row["category"]),
        priority=TicketPriority(row["priority"]),
        status=status,
        assignee=assignee,
        created=created.replace(microsecond=0),
        duplicate_of=original.id if original else None,
    )


def _progress(random: np.random.Generator, age: timedelta) -> tuple[TicketStatus, str | None]:
    """Draw a status; whatever is no longer open has been taken by somebody."""
    chance = random.random()
    if age < FRESH or chance < 0.4:
        status = TicketStatus.OPEN if chance < 0.8 else TicketStatus.PENDING
    else:
        status = TicketStatus.RESOLVED if chance < 0.8 else TicketStatus.CLOSED
    if status is TicketStatus.OPEN:
        return status, None
    return status, ASSIGNEES[random.integers(len(ASSIGNEES))]


def _numbered(tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Put the tickets in order of time and number them, keeping their references to each other."""
    ordered = sorted(tickets, key=lambda ticket: ticket.created)
    numbers = {ticket.id: f"TCK-{number:05}" for number, ticket in enumerate(ordered, start=1)}
    return tuple(
        replace(
            ticket,
            id=numbers[ticket.id],
            duplicate_of=numbers[ticket.duplicate_of] if ticket.duplicate_of else None,
        )
        for ticket in ordered
    )
