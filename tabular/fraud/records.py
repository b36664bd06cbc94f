"""Transactions and labels as entries of the event log, and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from tabular.events import Event
from tabular.fraud.events import FraudEvent, Label, Transaction
from tabular.fraud.features import DELAY

TRANSACTION, LABEL = "transaction", "fraud_label"
KINDS = (TRANSACTION, LABEL)


def transaction_event(transaction: Transaction, known_at: int) -> Event:
    """A transaction as the log holds it."""
    body = {"card": transaction.card, "terminal": transaction.terminal, "cents": transaction.cents}
    return Event(TRANSACTION, transaction.id, transaction.at, known_at, body)


def label_event(label: Label, transaction: str, known_at: int) -> Event:
    """A label as the log holds it; `transaction` is what it is about."""
    body = {"card": label.card, "terminal": label.terminal, "transaction": transaction, "change": label.change}
    return Event(LABEL, label.id, label.at, known_at, body)


def fraud_event(event: Event) -> FraudEvent:
    """What an entry of either kind says. Raises KeyError for another kind's body."""
    body = event.body
    if event.kind == LABEL:
        return Label(event.id, event.at, body["card"], body["terminal"], body["change"])
    return Transaction(event.id, event.at, body["card"], body["terminal"], body["cents"])


def history(transactions: Iterable[tuple[Transaction, bool]], delay: int = DELAY) -> Iterator[Event]:
    """Old transactions as they would have come to the log: each at once, each fraud's label `delay` later.

    `transactions` are in the order of time, each with whether it was fraud.
    """
    pending: deque[Event] = deque()
    for transaction, fraud in transactions:
        while pending and pending[0].known_at <= transaction.at:
            yield pending.popleft()
        yield transaction_event(transaction, transaction.at)
        if fraud:
            label = Label(transaction.id, transaction.at, transaction.card, transaction.terminal, 1)
            pending.append(label_event(label, transaction.id, transaction.at + delay))
    yield from pending
