"""What became of a call, in words: sentences made of its result's own values, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from agents.conversation import Call
from agents.hands import Done, Noted, Outcome, Replied, TurnedDown, Waiting
from core.canonical import JSON
from core.orders import Order, OrderStatus
from core.purchasing import Product, PurchaseOrder, PurchaseOrderStatus
from core.tickets import Ticket

_ORDER = TypeAdapter(Order)
_ORDERS = TypeAdapter(list[Order])
_TICKET = TypeAdapter(Ticket)
_PRODUCT = TypeAdapter(Product)
_PRODUCTS = TypeAdapter(list[Product])
_PURCHASE_ORDER = TypeAdapter(PurchaseOrder)


def order_of(result: JSON) -> Order:
    """The order that a tool returned."""
    return _ORDER.validate_python(result)


def orders_of(result: JSON) -> list[Order]:
    """The orders that a tool returned."""
    return _ORDERS.validate_python(result)


def product_of(result: JSON) -> Product:
    """The product that a tool returned."""
    return _PRODUCT.validate_python(result)


def products_of(result: JSON) -> list[Product]:
    """The products that a tool returned."""
    return _PRODUCTS.validate_python(result)


def purchase_order_of(result: JSON) -> PurchaseOrder:
    """The purchase order that a tool returned."""
    return _PURCHASE_ORDER.validate_python(result)


def day(moment: date | datetime) -> str:
    """A day as people write it: 3 June 2026."""
    return f"{moment.day} {moment:%B %Y}"


def order_line(order: Order) -> str:
    """An order in a list."""
    return f"{order.id} of {day(order.placed)}, {order.total:.2f} EUR: {order.status}"


def order_status(order: Order) -> str:
    """Where an order is."""
    head = f"Your order {order.id} of {day(order.placed)} ({order.total:.2f} EUR)"
    sent = f" with {order.carrier}" + (f", tracking number {order.tracking}" if order.tracking else "")
    match order.status:
        case OrderStatus.PLACED:
            return f"{head} is placed, and has not been packed yet. It goes to: {order.address}."
        case OrderStatus.PACKING:
            return f"{head} is being packed. It goes to: {order.address}."
        case OrderStatus.SHIPPED:
            when = f" on {day(order.shipped)}" if order.shipped else ""
            return f"{head} left our warehouse{when}{sent}."
        case OrderStatus.DELIVERED:
            when = f" on {day(order.delivered)}" if order.delivered else ""
            return f"{head} was delivered{when}{sent}."
        case OrderStatus.CANCELLED:
            return f"{head} was cancelled; {order.refunded:.2f} EUR of {order.charged:.2f} EUR charged were paid back."
        case OrderStatus.LOST:
            return f"{head} was lost on its way{sent}. {order.charged:.2f} EUR were charged for it."


def cancelled(order: Order) -> str:
    """An order was cancelled."""
    if order.refunded:
        return f"{order.id} is cancelled, and the {order.refunded:.2f} EUR that were charged are paid back."
    return f"{order.id} is cancelled. Nothing had been charged for it."


def redirected(order: Order) -> str:
    """An order goes elsewhere."""
    return f"{order.id} now goes to: {order.address}."


def refunded(order: Order, amount: str) -> str:
    """Money was paid back."""
    return (
        f"{Decimal(amount):.2f} EUR for {order.id} are on their way back to you ({order.paid_with}). "
        f"Of {order.charged:.2f} EUR charged, {order.refunded:.2f} EUR have been refunded."
    )


def ticket_opened(ticket: Ticket) -> str:
    """A ticket was opened."""
    return (
        f'I have opened ticket {ticket.id} ({ticket.category}, priority {ticket.priority}): "{ticket.subject}". '
        "A person will look into it."
    )


def ticket_handed_over(ticket: Ticket) -> str:
    """A ticket lies with a team."""
    return f"I have handed this to our {ticket.team} team as ticket {ticket.id}. A person will get back to you."


def ticket_updated(ticket: Ticket) -> str:
    """A ticket was changed."""
    held = f", with {ticket.assignee}" if ticket.assignee else ""
    notes = f' The latest note: "{ticket.notes[-1].text}"' if ticket.notes else ""
    return f"Ticket {ticket.id} is {ticket.status}{held}.{notes}"


def stock(result: Mapping[str, Any]) -> str:
    """A product's stock, and what is coming."""
    product = product_of(result["product"])
    text = f"{product.sku} {product.name}: {product.stock} in stock, {product.on_order} on order."
    for coming in result["purchase_orders"]:
        text += f"\n- {coming['id']}: {coming['outstanding']} expected on {day(date.fromisoformat(coming['expected']))}"
    return text


def catalog(products: Sequence[Product]) -> str:
    """Products that a search found."""
    lines = [
        f"- {each.sku} {each.name} ({each.family}): price {each.price:.2f} EUR, cost {each.cost:.2f} EUR, "
        f"{each.stock} in stock, from {each.supplier_id}"
        for each in products
    ]
    return "\n".join([f"{len(products)} found:", *lines])


def demand(result: Mapping[str, Any]) -> str:
    """A forecast, with what it rests on."""
    weeks = ", ".join(f"{pieces:.2f}" for pieces in result["weeks"])
    return (
        f"{result['sku']}: {result['total']:.2f} pieces expected in the next {len(result['weeks'])} weeks "
        f"(standard deviation {result['standard_deviation']:.1f}). By week: {weeks}. "
        f"From {result['weeks_of_history']} weeks of sales until "
        f"{day(date.fromisoformat(result['known_until']))}; {result['method']}."
    )


def advice(number: int, told: Mapping[str, Any], name: str) -> str:
    """One suggestion to reorder, with its arithmetic in the order in which the numbers follow from each other."""
    total = Decimal(told["total"])
    return (
        f"{number}. {told['sku']} {name}: order {told['quantity']} from {told['supplier_id']} for {total:.2f} EUR.\n"
        f"   - Expected demand in {told['protection_days']} days ({told['lead_time_days']} lead time + "
        f"{told['review_days']} until the next look): {told['protection_demand']:.1f} pieces. Safety stock "
        f"{told['safety_factor']:.3f} × {told['protection_sd']:.1f} = {told['safety_stock']:.1f}. Reorder point: "
        f"{told['reorder_point']}.\n"
        f"   - In stock {told['stock']} + on order {told['on_order']} = {told['position']}, so it is due. To last "
        f"{told['cover_days']} days more ({told['cover_demand']:.1f} pieces) takes {told['protection_demand']:.1f} + "
        f"{told['cover_demand']:.1f} + {told['safety_stock']:.1f}, so {told['order_up_to']}: "
        f"{told['shortfall']} are missing.\n"
        f"   - In packs of {told['pack_size']} and for at least {Decimal(told['minimum_order']):.2f} EUR an order: "
        f"{told['quantity']} × {Decimal(told['unit_cost']):.2f} = {total:.2f} EUR.\n"
        f"   - As it is, {_share(told['unchanged'])} of that demand goes short, a margin of "
        f"{Decimal(told['unchanged']['shortage_cost']):.2f} EUR; with the order {_share(told['ordered'])}, and keeping "
        f"what is left costs {Decimal(told['ordered']['holding_cost']):.2f} EUR instead of "
        f"{Decimal(told['unchanged']['holding_cost']):.2f}."
    )


def _share(prospect: Mapping[str, Any]) -> str:
    return f"{100 * prospect['short_share']:.1f} %"


def bought(order: PurchaseOrder) -> str:
    """A purchase order was placed."""
    return (
        f"Purchase order {order.id} is placed with {order.supplier_id}: {_lines(order)}, {order.total:.2f} EUR "
        f"in all. It is expected on {day(order.expected)}."
    )


def tracked(order: PurchaseOrder) -> str:
    """Where a purchase order is."""
    head = f"Purchase order {order.id} with {order.supplier_id} of {day(order.placed)} ({order.total:.2f} EUR)"
    if order.status is PurchaseOrderStatus.RECEIVED:
        when = f" on {day(order.received)}" if order.received else ""
        return f"{head} has come in full{when}: {_lines(order)}."
    come = sum(line.received for line in order.lines)
    due = f"It is expected on {day(order.expected)}"
    if order.status is PurchaseOrderStatus.PARTIAL:
        missing = sum(line.outstanding for line in order.lines)
        return f"{head} has come in part: {come} pieces are here, {missing} are to come. {due}."
    return f"{head} has not arrived yet: {_lines(order)}. {due}."


def received(order: PurchaseOrder, quantity: int, products: Sequence[Product]) -> str:
    """Pieces were booked in; `products` are the order's as they are now."""
    now = "; ".join(f"{each.sku} {each.name}: {each.stock} in stock now" for each in products)
    left = sum(line.outstanding for line in order.lines)
    rest = "The order is complete." if not left else f"{left} are still to come."
    return f"{quantity} pieces of {order.id} are booked in. {rest} {now}."


def _lines(order: PurchaseOrder) -> str:
    return ", ".join(f"{line.quantity} × {line.sku} at {line.unit_cost:.2f} EUR" for line in order.lines)


_EFFECTS: Mapping[str, Callable[[JSON, Mapping[str, Any]], str]] = {
    "cancel_order": lambda result, _given: cancelled(order_of(result)),
    "change_delivery_address": lambda result, _given: redirected(order_of(result)),
    "issue_refund": lambda result, given: refunded(order_of(result), str(given["amount"])),
    "create_ticket": lambda result, _given: ticket_opened(_TICKET.validate_python(result)),
    "update_ticket": lambda result, _given: ticket_updated(_TICKET.validate_python(result)),
    "escalate_to_human": lambda result, _given: ticket_handed_over(_TICKET.validate_python(result)),
    "create_purchase_order": lambda result, _given: bought(purchase_order_of(result)),
}


def effect(tool: str, result: JSON, arguments: Mapping[str, Any]) -> str:
    """What a call that took effect has changed. `confirm_delivery` has a sentence of its own, `received`."""
    return _EFFECTS[tool](result, arguments)


def proposal(tool: str, arguments: Mapping[str, Any]) -> str:
    """A call that waits for a person, as a person would put it."""
    match tool:
        case "issue_refund":
            return f"a refund of {Decimal(str(arguments['amount'])):.2f} EUR for {arguments['order_id']}"
        case "create_purchase_order":
            return f"the purchase of {arguments['quantity']} × {arguments['sku']}"
        case "cancel_order":
            return f"the cancellation of {arguments['order_id']}"
        case "change_delivery_address":
            return f"the new address of {arguments['order_id']}"
        case "confirm_delivery":
            return f"the booking of {arguments['received_quantity']} pieces of {arguments['po_id']}"
        case _:
            return f"the call of {tool}"


def undone(call: Call, outcome: Outcome) -> str:
    """What became of a call that did not take effect, or not yet."""
    what = proposed(call)
    match outcome:
        case Noted(_, reason):
            sent = "It goes out as soon as there is a network; I will tell you here what came of it."
            return reason or f"I have noted it down: {what}. {sent}"
        case Waiting():
            # Money is paid back for what the records show, and bought above a limit that the buyer may know.
            whys = {"issue_refund": call["arguments"].get("reason"), "create_purchase_order": outcome.reason}
            why = whys.get(call["tool"])
            because = f" ({why})" if why else ""
            return (
                f"{capital(what)}{because} needs the consent of a colleague. I have put it before them, and nothing "
                "happens until they decide; I will tell you here."
            )
        case TurnedDown("expired"):
            return f"Nobody decided on {what} in time, so it does not happen."
        case TurnedDown(reason):
            why = reason.strip().rstrip(".")
            return f"{capital(what)} was turned down{f': {why}' if why else ''}."
        case Replied(text):
            return f"A colleague answered on {what}: {text}"
        case Done():
            raise AssertionError("what was done is told from its result")


def still(call: Call, outcome: Waiting) -> str:
    """What waited before, and waits on."""
    if isinstance(outcome, Noted):
        return outcome.reason or f"Still waiting for a network: {proposed(call)}."
    return f"Still waiting for a colleague: {proposed(call)}."


def proposed(call: Call) -> str:
    """The call, as a person would put it."""
    return proposal(call["tool"], call["arguments"])


def refusal(problem: Exception) -> str:
    """What a refusal says, as a sentence: it is written for people already."""
    said = capital(str(problem).strip())
    return said if said.endswith((".", "!", "?")) else f"{said}."


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]
