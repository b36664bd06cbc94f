"""Purchases, and what became of recommendations, as entries of the event log, and back.

Ids follow from what happened, so that the log takes each thing once, however often it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from tabular.events import Event
from tabular.recommend.purchases import Purchase

PURCHASE, WITHDRAWN = "purchase", "purchase_withdrawn"
PURCHASES = (PURCHASE, WITHDRAWN)


class Reaction(StrEnum):
    """What a customer did about a recommendation."""

    SHOWN = "shown"
    CLICKED = "clicked"
    BOUGHT = "bought"
    DISMISSED = "dismissed"

    @property
    def kind(self) -> str:
        """The kind of its events."""
        return f"recommendation_{self.value}"


REACTIONS = {each.kind: each for each in Reaction}


@dataclass(frozen=True, slots=True)
class Reacted:
    """A reaction to one item of a slate. `propensity` is the chance that it had of standing at its `position`."""

    slate: str
    customer: str
    item: str
    position: int
    propensity: float
    reaction: Reaction


def purchase_event(order: str, customer: str, items: Collection[str], at: int, known_at: int) -> Event:
    """An order as the log holds it; an item counts once."""
    return Event(PURCHASE, order, at, known_at, {"customer": customer, "items": sorted(set(items))})


def withdrawal_event(order: str, at: int) -> Event:
    """That an order which the log holds as a purchase was cancelled: it says nothing of what the customer likes."""
    return Event(WITHDRAWN, order, at, at, {})


def reaction_event(reacted: Reacted, at: int) -> Event:
    """A reaction as the log holds it: each kind once for an item of a slate."""
    body = {
        "slate": reacted.slate,
        "customer": reacted.customer,
        "item": reacted.item,
        "position": reacted.position,
        "propensity": reacted.propensity,
    }
    return Event(reacted.reaction.kind, f"{reacted.slate}/{reacted.item}", at, at, body)


def reacted(event: Event) -> Reacted:
    """What an entry of one of `REACTIONS` says. Raises KeyError for another kind."""
    body = event.body
    return Reacted(
        body["slate"], body["customer"], body["item"], body["position"], body["propensity"], REACTIONS[event.kind]
    )


def purchases(events: Iterable[Event]) -> Iterator[Purchase]:
    """The lines of all orders that were not withdrawn; events come in any order."""
    bought: list[Event] = []
    withdrawn: set[str] = set()
    for event in events:
        if event.kind == WITHDRAWN:
            withdrawn.add(event.id)
        else:
            bought.append(event)
    for event in bought:
        if event.id not in withdrawn:
            time = datetime.fromtimestamp(event.at / 1000, UTC)
            for item in event.body["items"]:
                yield Purchase(event.body["customer"], item, time, event.id)
