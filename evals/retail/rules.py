"""What the desk may do with an order, and what it does to the money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from core.errors import Conflict, InvalidInput, NotFound
from evals.retail.state import Record, State

Swap = tuple[int, Record]  # the position of an order's line, and the variant that takes its place


def order(state: State, order_id: str, status: str) -> Record:
    """The order, to be read. Raises `NotFound`, and `Conflict` where it has another status."""
    found = state.find("orders", order_id)
    if found["status"] != status:
        raise Conflict(f"order {order_id} is {found['status']}, not {status}")
    return found


def lines(found: Record, item_ids: Sequence[str]) -> list[int]:
    """The positions of an order's lines with these items. Raises `NotFound` for more of an item than there are."""
    if not item_ids:
        raise InvalidInput("no item is named", param="item_ids")
    free = list(enumerate(line["item_id"] for line in found["items"]))
    taken = []
    for item_id in item_ids:
        place = next((each for each in free if each[1] == item_id), None)
        if place is None:
            raise NotFound(f"order {found['order_id']} has no such item, or not as many: {item_id!r}")
        free.remove(place)
        taken.append(place[0])
    return taken


def swaps(
    state: State, found: Record, item_ids: Sequence[str], new_item_ids: Sequence[str]
) -> tuple[list[Swap], Decimal]:
    """Which line becomes which variant, pair by pair, and what more it costs (below zero: less).

    Raises `NotFound` for a line that is not there or a variant of another product, `Conflict` for one not available.
    """
    if len(item_ids) != len(new_item_ids):
        raise InvalidInput("there must be one new item for each old one", param="new_item_ids")
    chosen: list[Swap] = []
    for position, new_id in zip(lines(found, item_ids), new_item_ids, strict=True):
        line = found["items"][position]
        variants = state.find("products", line["product_id"])["variants"]
        if new_id not in variants:
            raise NotFound(f"{new_id!r} is no variant of {line['name']}")
        if not variants[new_id]["available"]:
            raise Conflict(f"{line['name']} {new_id} is not available")
        chosen.append((position, variants[new_id]))
    difference = sum((new["price"] - found["items"][position]["price"] for position, new in chosen), Decimal(0))
    return chosen, difference


def method(state: State, found: Record, payment_method_id: str) -> Record:
    """The payment method of the order's customer. Raises `NotFound`."""
    methods: Mapping[str, Record] = state.find("users", found["user_id"])["payment_methods"]
    if payment_method_id not in methods:
        raise NotFound(f"the customer has no payment method {payment_method_id!r}")
    return methods[payment_method_id]


def payable(state: State, found: Record, payment_method_id: str, amount: Decimal) -> None:
    """Raise `Conflict` where the method is a gift card that holds less than the amount."""
    chosen = method(state, found, payment_method_id)
    if chosen["source"] == "gift_card" and chosen["balance"] < amount:
        raise Conflict(f"{payment_method_id} holds {chosen['balance']}, and {amount} is to be paid")


def paid(found: Record) -> dict[str, Decimal]:
    """What the order holds of each payment method's money, refunds taken off; no method with nothing left."""
    sums: dict[str, Decimal] = {}
    for entry in found["payment_history"]:
        sign = 1 if entry["transaction_type"] == "payment" else -1
        name = entry["payment_method_id"]
        sums[name] = sums.get(name, Decimal(0)) + sign * entry["amount"]
    return {name: amount for name, amount in sums.items() if amount > 0}


def book(state: State, writable: Record, payment_method_id: str, amount: Decimal) -> None:
    """Book a payment, or a refund where the amount is not above zero. A gift card's balance moves at once."""
    kind = "payment" if amount > 0 else "refund"
    entry = {"transaction_type": kind, "amount": abs(amount), "payment_method_id": payment_method_id}
    writable["payment_history"].append(entry)
    if method(state, writable, payment_method_id)["source"] == "gift_card":
        user = state.change("users", writable["user_id"])
        user["payment_methods"][payment_method_id]["balance"] -= amount


def address(address1: str, address2: str, city: str, state: str, country: str, zip_code: str) -> Record:
    """An address as the records hold it."""
    return {
        "address1": address1,
        "address2": address2,
        "city": city,
        "state": state,
        "country": country,
        "zip": zip_code,
    }
