"""The words of recommendations: what is asked for, and what is recommended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from core.errors import InvalidInput

MOST = 100
"""The most recommendations of one answer."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a customer is to be recommended: at most `limit` products, none of those `excluded`.

    `new_only` leaves out what the customer has bought. `wish` is a text of what is looked for, in any words. Raises
    `InvalidInput` for a limit outside of [1, `MOST`] or a wish that says nothing.
    """

    customer_id: str
    limit: int = 10
    excluded: Collection[str] = ()
    new_only: bool = False
    wish: str | None = None

    def __post_init__(self) -> None:
        """Check it."""
        if not 1 <= self.limit <= MOST:
            raise InvalidInput(f"limit must be between 1 and {MOST}, not {self.limit}", param="limit")
        if self.wish is not None and not self.wish.strip():
            raise InvalidInput("a wish that says nothing", param="wish")


@dataclass(frozen=True, slots=True)
class Recommended:
    """A product, at the price and of the name that the catalogue has now.

    `score` is at least 0, and compares products of one answer. `reason` is for people; `because` names products that
    the customer bought and that led there.
    """

    sku: str
    name: str
    price: Decimal
    score: float
    reason: str
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What is recommended, best first. `model` is the version that did it, None where none is in force."""

    items: tuple[Recommended, ...]
    model: int | None = None
