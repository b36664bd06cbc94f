"""What people decided beforehand: lists of cards and terminals, and limits that no model may overlook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import InvalidInput
from tabular.fraud.costs import Band
from tabular.fraud.events import Transaction


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says: the least band it takes or, where `final`, the band whatever the model says."""

    rule: str
    band: Band
    text: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Blocked and trusted cards and terminals, and limits: the largest amount in cents, and the most uses of a card
    within an hour, that pass without a person's look.
    """

    blocked_cards: frozenset[str] = frozenset()
    blocked_terminals: frozenset[str] = frozenset()
    trusted_cards: frozenset[str] = frozenset()
    most_cents: int | None = None
    most_uses_an_hour: int | None = field(default=6)

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for a card that is both blocked and trusted, and for limits below 1."""
        if both := self.blocked_cards & self.trusted_cards:
            raise InvalidInput(f"blocked and trusted at once: {', '.join(sorted(both))}", param="trusted_cards")
        for name in ("most_cents", "most_uses_an_hour"):
            limit = getattr(self, name)
            if limit is not None and limit < 1:
                raise InvalidInput(f"{name} is at least 1", param=name)

    def apply(self, transaction: Transaction, features: Mapping[str, float]) -> list[Ruling]:
        """What the rules say of a transaction; lists come first, and the first final one decides."""
        found = []
        if transaction.card in self.blocked_cards:
            found.append(Ruling("blocked_card", Band.BLOCK, "the card is on the list of blocked ones", final=True))
        if transaction.terminal in self.blocked_terminals:
            found.append(Ruling("blocked_terminal", Band.BLOCK, "the terminal is on the list of blocked ones", True))
        if transaction.card in self.trusted_cards:
            found.append(Ruling("trusted_card", Band.ALLOW, "the card is on the list of trusted ones", final=True))
        if self.most_cents is not None and transaction.cents > self.most_cents:
            text = f"the amount is above {self.most_cents / 100:,.2f}, which somebody has to look at"
            found.append(Ruling("large_amount", Band.REVIEW, text))
        uses = features["card_uses_1h"]
        if self.most_uses_an_hour is not None and uses > self.most_uses_an_hour:
            found.append(Ruling("fast_card", Band.REVIEW, f"the card was used {uses:.0f} times within an hour"))
        return found


def ruled(band: Band, rulings: Sequence[Ruling]) -> Band:
    """The band after the rules: that of the first final one, or the strictest of all."""
    for ruling in rulings:
        if ruling.final:
            return ruling.band
    return max([band, *(each.band for each in rulings)], key=lambda each: each.strictness)
