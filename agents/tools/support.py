"""What the agents read and do for a customer: orders and tickets."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agents.tools.arguments import (
    CancelsOrder,
    ChangeTicket,
    EscalateToHuman,
    IssueRefund,
    ListOrders,
    LookupOrder,
    OpenTicket,
    RedirectsOrder,
)
from agents.tools.tool import Action, Caller, Reading, Subject, SystemDestination, as_json
from core.canonical import JSON
from core.errors import Conflict, InvalidInput, NotFound
from core.orders import CancelOrder, ChangeAddress, Order, OrderFilter, Refund
from core.ports import HelpDesk, Orders
from core.tickets import CreateTicket, Escalate, TicketFilter, UpdateTicket

Tools = list[Reading[Any] | Action[Any]]


def order_tools(orders: Orders) -> Tools:
    """The tools on customers' orders. For a client, only its own customer's exist."""

    async def find(tenant: str, subject: Subject, order_id: str) -> Order:
        wanted = OrderFilter(order_id=order_id, customer_id=subject.customer_id, limit=1)
        for order in await orders.orders(tenant, wanted):
            return order
        raise NotFound(f"no order {order_id}", param="order_id")

    async def list_orders(caller: Caller, given: ListOrders) -> JSON:
        if caller.subject.customer_id not in (None, given.customer_id):
            raise NotFound(f"no customer {given.customer_id}", param="customer_id")
        return as_json(await orders.orders(caller.tenant, OrderFilter(customer_id=given.customer_id)))

    async def lookup_order(caller: Caller, given: LookupOrder) -> JSON:
        return as_json(await find(caller.tenant, caller.subject, given.order_id))

    async def exists(tenant: str, subject: Subject, given: CancelsOrder | RedirectsOrder) -> Mapping[str, Decimal]:
        await find(tenant, subject, given.order_id)
        return {}

    async def refunds(tenant: str, subject: Subject, given: IssueRefund) -> Mapping[str, Decimal]:
        order = await find(tenant, subject, given.order_id)
        if given.amount > order.refundable:
            raise Conflict(f"{order.id} has {order.refundable} left to refund, not {given.amount}", param="amount")
        # Limiting the sum keeps a large refund from being had in small pieces.
        return {"amount": given.amount, "refunded": order.refunded + given.amount}

    def object_of(given: CancelsOrder | RedirectsOrder | IssueRefund, _result: JSON) -> str:
        return f"order/{given.order_id}"

    return [
        Reading(
            name="list_orders",
            description="List a customer's orders, the latest first.",
            arguments=ListOrders,
            personal=True,
            read=list_orders,
        ),
        Reading(
            name="lookup_order",
            description="Show one order: where it is, what is in it, what was charged and refunded.",
            arguments=LookupOrder,
            personal=True,
            read=lookup_order,
        ),
        Action(
            name="cancel_order",
            description="Cancel an order that has not been packed yet, and pay back what was charged.",
            arguments=CancelsOrder,
            personal=True,
            examine=exists,
            destination=lambda subject, given: SystemDestination(
                orders, CancelOrder(given.order_id, given.reason, subject.customer_id)
            ),
            object_of=object_of,
            idempotent=True,
        ),
        Action(
            name="change_delivery_address",
            description="Send an order that has not been packed yet to another address.",
            arguments=RedirectsOrder,
            personal=True,
            examine=exists,
            destination=lambda subject, given: SystemDestination(
                orders, ChangeAddress(given.order_id, given.address, subject.customer_id)
            ),
            object_of=object_of,
            idempotent=True,
        ),
        Action(
            name="issue_refund",
            description="Pay money back for an order.",
            arguments=IssueRefund,
            personal=True,
            examine=refunds,
            measures=("amount", "refunded"),
            destination=lambda subject, given: SystemDestination(
                orders, Refund(given.order_id, given.amount, given.reason, subject.customer_id)
            ),
            object_of=object_of,
        ),
    ]


def ticket_tools(help_desk: HelpDesk) -> Tools:
    """The tools on customers' requests."""

    async def nothing(_tenant: str, _subject: Subject, _given: OpenTicket | EscalateToHuman) -> Mapping[str, Decimal]:
        return {}

    async def changes(tenant: str, subject: Subject, given: ChangeTicket) -> Mapping[str, Decimal]:
        if (given.status, given.assignee, given.note) == (None, None, None):
            raise InvalidInput("say what to change: status, assignee or note", param="status")
        wanted = TicketFilter(ticket_id=given.ticket_id, customer_id=subject.customer_id, limit=1)
        if not await help_desk.tickets(tenant, wanted):
            raise NotFound(f"no ticket {given.ticket_id}", param="ticket_id")
        return {}

    def create(subject: Subject, given: OpenTicket) -> SystemDestination:
        words = (given.subject, given.category, given.priority, given.summary)
        return SystemDestination(help_desk, CreateTicket(*words, subject.customer_id, subject.order_id))

    def update(subject: Subject, given: ChangeTicket) -> SystemDestination:
        words = (given.ticket_id, given.status, given.assignee, given.note)
        return SystemDestination(help_desk, UpdateTicket(*words, subject.customer_id))

    def escalate(subject: Subject, given: EscalateToHuman) -> SystemDestination:
        action = Escalate(given.team, given.reason, subject.ticket_id, subject.customer_id)
        return SystemDestination(help_desk, action)

    return [
        Action(
            name="create_ticket",
            description="Open a ticket, so that a person looks into it.",
            arguments=OpenTicket,
            examine=nothing,
            destination=create,
            object_of=_made_ticket,
            additive=True,
        ),
        Action(
            name="update_ticket",
            description="Change a ticket's status or assignee, or write a note on it.",
            arguments=ChangeTicket,
            personal=True,
            examine=changes,
            destination=update,
            object_of=lambda given, _result: f"ticket/{given.ticket_id}",
        ),
        Action(
            name="escalate_to_human",
            description="Hand the conversation to a team of people.",
            arguments=EscalateToHuman,
            examine=nothing,
            destination=escalate,
            object_of=_made_ticket,
        ),
    ]


def _made_ticket(_given: OpenTicket | EscalateToHuman, result: JSON) -> str:
    return f"ticket/{result['id']}" if isinstance(result, Mapping) else "ticket/"
