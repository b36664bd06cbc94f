"""What the log says about cards: that one was used, and later whether that was fraud."""

from __future__ import annotations

from dataclasses import dataclass

DAY = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A use of a card. `at` is when, in milliseconds since 1970, UTC; `cents` is the amount, whole and positive."""

    id: str
    at: int
    card: str
    terminal: str
    cents: int


@dataclass(frozen=True, slots=True)
class Label:
    """What became known about a transaction, with what it was a use of.

    `change` is 1 where it turned out to be fraud, 0 where it did not, -1 where what was called fraud is taken back.
    """

    id: str
    at: int
    card: str
    terminal: str
    change: int


FraudEvent = Transaction | Label
