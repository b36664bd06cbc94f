"""Mistakes that a judge must notice: every call that changes something left out, and each of its arguments changed.

A changed argument stays plausible where the records allow it: another order of the same customer, another available
variant, another of the customer's payment methods. Nonsense would be refused by the tools, and prove little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from core.errors import NotFound
from evals.retail.desk import Call, Reason
from evals.retail.judge import replay
from evals.retail.state import Database, State


@dataclass(frozen=True, slots=True)
class Mistake:
    """The expected calls with one fault; `argument` is None where the whole call at `index` is left out."""

    index: int
    argument: str | None
    calls: tuple[Call, ...]


def mistakes(database: Database, expected: Sequence[Call]) -> Iterator[Mistake]:
    """Every such mistake in calls that change the state."""
    for index in replay(database, expected).changing:
        before, call, after = expected[:index], expected[index], expected[index + 1 :]
        yield Mistake(index, None, (*before, *after))
        for name in call.arguments:
            changed = {**call.arguments, name: _other(State(database), call, name)}
            if changed != call.arguments:
                yield Mistake(index, name, (*before, Call(call.name, changed), *after))


def _other(state: State, call: Call, name: str) -> Any:
    """Another value for the argument; the same one where the records have no other."""
    value = call.arguments[name]
    match name:
        case "reason":
            candidates: Sequence[Any] = get_args(Reason)
        case "order_id":
            candidates = state.find("users", _customer(state, call))["orders"]
        case "payment_method_id":
            candidates = list(state.find("users", _customer(state, call))["payment_methods"])
        case "user_id":
            candidates = [user["user_id"] for user in state.all("users")]
        case "item_ids":
            # An item less leaves an exchange's two lists unequal, which is refused; a return goes through.
            candidates = [value[:-1]]
        case "new_item_ids":
            candidates = [[each, *value[1:]] for each in _siblings(state, value[0])]
        case _:
            candidates = [f"{value} Annex".strip()]
    return next((each for each in candidates if each != value), value)


def _customer(state: State, call: Call) -> str:
    return str(state.find("orders", call.arguments["order_id"])["user_id"])


def _siblings(state: State, item_id: str) -> list[str]:
    for product in state.all("products"):
        if item_id in product["variants"]:
            return [each["item_id"] for each in product["variants"].values() if each["available"]]
    raise NotFound(f"no such item: {item_id!r}")
