"""The demo company's card transactions in the words of the event log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.demo.transactions import Transaction as Drawn
from tabular.fraud.events import Transaction


def card_uses(drawn: Sequence[Drawn]) -> Iterator[tuple[Transaction, bool]]:
    """Each transaction, the earliest first, with whether it was fraud."""
    for each in drawn:
        at, cents = int(each.at.timestamp() * 1000), int(each.amount.scaleb(2))
        yield Transaction(each.id, at, each.card_id, each.terminal_id, cents), each.fraud
