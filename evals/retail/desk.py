"""The desk's tools, by the names and arguments of its tasks. The rules are those of the domain's published policy.

A tool that cannot do what it is asked raises (`NotFound`, `Conflict`, `InvalidInput`) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import ValidationError, validate_call

from core.errors import Conflict, InvalidInput, NotFound
from evals.retail import rules
from evals.retail.arithmetic import calculate
from evals.retail.state import Record, State

Reason = Literal["no longer needed", "ordered by mistake"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and its arguments."""

    name: str
    arguments: Mapping[str, Any]


class Desk:
    """The tools on a state. `tools` are plain methods with types and a docstring, as LangChain's `bind_tools` takes."""

    def __init__(self, state: State) -> None:
        self.state = state

    @property
    def tools(self) -> tuple[Callable[..., Any], ...]:
        """Every tool of the desk."""
        return (*self._reading, *self.changing)

    @property
    def _reading(self) -> tuple[Callable[..., Any], ...]:
        return (
            self.find_user_id_by_email,
            self.find_user_id_by_name_zip,
            self.get_user_details,
            self.get_order_details,
            self.get_product_details,
            self.get_item_details,
            self.list_all_product_types,
            self.calculate,
            self.transfer_to_human_agents,
        )

    @property
    def changing(self) -> tuple[Callable[..., Any], ...]:
        """Those that change the records."""
        return (
            self.cancel_pending_order,
            self.modify_pending_order_address,
            self.modify_pending_order_items,
            self.modify_pending_order_payment,
            self.modify_user_address,
            self.return_delivered_order_items,
            self.exchange_delivered_order_items,
        )

    def call(self, call: Call) -> Any:
        """Do it. Raises `InvalidInput` for an unknown tool or wrong names or types of arguments, else as the tool."""
        for tool in self.tools:
            if tool.__name__ == call.name:
                break
        else:
            raise InvalidInput(f"the desk has no tool {call.name!r}", param="name")
        try:
            # A copy, or whoever writes into a result would write into the records.
            return deepcopy(validate_call(tool)(**call.arguments))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InvalidInput(f"{call.name}: {place}: {first['msg']}", param="arguments") from error

    def find_user_id_by_email(self, email: str) -> str:
        """Find a customer by e-mail address."""
        return self._user(lambda user: user["email"].lower() == email.lower(), f"the address {email}")

    def find_user_id_by_name_zip(self, first_name: str, last_name: str, zip: str) -> str:
        """Find a customer by first name, last name and postal code."""
        wanted = first_name.lower(), last_name.lower(), zip

        def same(user: Record) -> bool:
            name = user["name"]
            return (name["first_name"].lower(), name["last_name"].lower(), user["address"]["zip"]) == wanted

        return self._user(same, f"the name {first_name} {last_name} in {zip}")

    def _user(self, same: Callable[[Record], bool], described: str) -> str:
        for user in self.state.all("users"):
            if same(user):
                return str(user["user_id"])
        raise NotFound(f"no customer has {described}")

    def get_user_details(self, user_id: str) -> Record:
        """A customer's name, address, payment methods and orders."""
        return self.state.find("users", user_id)

    def get_order_details(self, order_id: str) -> Record:
        """An order's lines, status, address and payments. Order ids begin with #."""
        return self.state.find("orders", order_id)

    def get_product_details(self, product_id: str) -> Record:
        """A product and its variants, with prices and what is available."""
        return self.state.find("products", product_id)

    def get_item_details(self, item_id: str) -> Record:
        """One variant of a product."""
        for product in self.state.all("products"):
            if item_id in product["variants"]:
                variant: Record = product["variants"][item_id]
                return variant
        raise NotFound(f"no such item: {item_id!r}")

    def list_all_product_types(self) -> dict[str, str]:
        """Every product's name with its id."""
        return {product["name"]: product["product_id"] for product in self.state.all("products")}

    def calculate(self, expression: str) -> Decimal:
        """Work out an expression of numbers, + - * / and brackets."""
        return calculate(expression)

    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand the customer over to a person, with a summary; for what the desk cannot do."""
        return f"handed over: {summary}"

    def cancel_pending_order(self, order_id: str, reason: Reason) -> Record:
        """Cancel a pending order and give its payments back."""
        rules.order(self.state, order_id, "pending")
        order = self.state.change("orders", order_id)
        for payment_method_id, amount in rules.paid(order).items():
            rules.book(self.state, order, payment_method_id, -amount)
        order.update(status="cancelled", cancel_reason=reason)
        return order

    def modify_pending_order_address(
        self,
        order_id: str,
        address1: str,
        address2: str,
        city: str,
        state: str,
        country: str,
        zip: str,
    ) -> Record:
        """Send a pending order to another address."""
        rules.order(self.state, order_id, "pending")
        order = self.state.change("orders", order_id)
        order["address"] = rules.address(address1, address2, city, state, country, zip)
        return order

    def modify_pending_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> Record:
        """Exchange lines of a pending order for other variants of the same products; can be done once."""
        order = rules.order(self.state, order_id, "pending")
        swaps, difference = rules.swaps(self.state, order, item_ids, new_item_ids)
        rules.payable(self.state, order, payment_method_id, difference)
        order = self.state.change("orders", order_id)
        for position, new in swaps:
            order["items"][position].update(item_id=new["item_id"], price=new["price"], options=new["options"])
        rules.book(self.state, order, payment_method_id, difference)
        order["status"] = "pending (items modified)"
        return order

    def modify_pending_order_payment(self, order_id: str, payment_method_id: str) -> Record:
        """Pay a pending order by another one of the customer's methods."""
        order = rules.order(self.state, order_id, "pending")
        if len(before := rules.paid(order)) != 1 or payment_method_id in before:
            raise Conflict(f"order {order_id} is paid by {', '.join(before)}: choose one other method")
        ((old, amount),) = before.items()
        rules.payable(self.state, order, payment_method_id, amount)
        order = self.state.change("orders", order_id)
        rules.book(self.state, order, payment_method_id, amount)
        rules.book(self.state, order, old, -amount)
        return order

    def modify_user_address(
        self,
        user_id: str,
        address1: str,
        address2: str,
        city: str,
        state: str,
        country: str,
        zip: str,
    ) -> Record:
        """Change a customer's own address."""
        user = self.state.change("users", user_id)
        user["address"] = rules.address(address1, address2, city, state, country, zip)
        return user

    def return_delivered_order_items(self, order_id: str, item_ids: list[str], payment_method_id: str) -> Record:
        """Ask for the return of lines of a delivered order; paid back as it was paid, or to a gift card."""
        order = rules.order(self.state, order_id, "delivered")
        rules.lines(order, item_ids)
        method = rules.method(self.state, order, payment_method_id)
        if method["source"] != "gift_card" and payment_method_id not in rules.paid(order):
            raise Conflict(f"order {order_id} was not paid by {payment_method_id}, which is no gift card either")
        order = self.state.change("orders", order_id)
        order.update(
            status="return requested", return_items=sorted(item_ids), return_payment_method_id=payment_method_id
        )
        return order

    def exchange_delivered_order_items(
        self, order_id: str, item_ids: list[str], new_item_ids: list[str], payment_method_id: str
    ) -> Record:
        """Ask for the exchange of lines of a delivered order for other variants of the same products."""
        order = rules.order(self.state, order_id, "delivered")
        _, difference = rules.swaps(self.state, order, item_ids, new_item_ids)
        rules.payable(self.state, order, payment_method_id, difference)
        order = self.state.change("orders", order_id)
        order.update(
            status="exchange requested",
            exchange_items=sorted(item_ids),
            exchange_new_items=sorted(new_item_ids),
            exchange_payment_method_id=payment_method_id,
            exchange_price_difference=difference,
        )
        return order
