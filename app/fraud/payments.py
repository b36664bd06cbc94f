"""A use of a card as the company's systems tell of it, in a request, on a stream or in a file."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tabular.fraud.events import Transaction

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$"
Name = Annotated[str, Field(pattern=NAME)]


class Payment(BaseModel):
    """A use of a card. Names are the company's own, never a card's number; `at` has its time zone."""

    model_config = ConfigDict(extra="forbid")

    id: Name
    at: AwareDatetime = Field(description="when it happened")
    card: Name = Field(description="a token that stands for the card")
    terminal: Name
    amount: Decimal = Field(gt=0, max_digits=12, decimal_places=2)

    def transaction(self) -> Transaction:
        """The words of the log."""
        cents = int(self.amount.scaleb(2))
        return Transaction(self.id, int(self.at.timestamp() * 1000), self.card, self.terminal, cents)
