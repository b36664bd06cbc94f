"""What to do about a transaction, by what each choice is expected to cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInput


class Band(StrEnum):
    """What is done: the payment passes, a person looks at it first, or it is refused; each stricter than the last."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def strictness(self) -> int:
        """For comparing: 0, 1, 2."""
        return list(Band).index(self)


@dataclass(frozen=True, slots=True)
class Costs:
    """What mistakes cost, in cents. A missed fraud costs its amount and `chargeback`; a person's look costs `review`,
    and finds `found` of the frauds; a genuine payment refused costs `refused`, the customer's anger.
    """

    review: int = 300
    found: float = 0.9
    chargeback: int = 1500
    refused: int = 4000

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for a cost below zero or a share outside 0 to 1."""
        for name in ("review", "chargeback", "refused"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"{name} cannot be negative", param=name)
        if not 0 <= self.found <= 1:
            raise InvalidInput("found is a share between 0 and 1", param="found")

    def expected(self, probability: float, cents: float) -> dict[Band, float]:
        """The expected cost of each band in cents."""
        missed = probability * (cents + self.chargeback)
        return {
            Band.ALLOW: missed,
            Band.REVIEW: self.review + (1 - self.found) * missed,
            Band.BLOCK: (1 - probability) * self.refused,
        }

    def incurred(self, band: Band, cents: float, *, fraud: bool) -> float:
        """What a band cost once it is known what the transaction was, in cents."""
        return self.expected(float(fraud), cents)[band]

    def band(self, probability: float, cents: int) -> Band:
        """The cheapest band; of equals the mildest."""
        expected = self.expected(probability, cents)
        return min(Band, key=lambda each: (expected[each], each.strictness))
