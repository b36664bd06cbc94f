"""What is known about a card and a terminal at the moment of a transaction.

Velocity of the card, and frauds at the terminal, over windows of one, seven and thirty days, as in the Fraud Detection
Handbook (Y. Le Borgne, W. Siblini, B. Lebichot, G. Bontempi, 2022, chapter 3). Whether a transaction was fraud is known
a week later, so what concerns frauds ends a week before the transaction: in training as in service.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tabular.features import Floats
from tabular.fraud.events import DAY, FraudEvent, Label, Transaction
from tabular.timeline import Timeline

WINDOWS = (1, 7, 30)
"""Days."""

DELAY = 7 * DAY
"""How long it takes until a transaction that was fraud is known to be."""

REACH = 45 * DAY
"""The furthest that a feature looks back from the transaction."""

LATEST = 15 * DAY
"""How late a transaction may arrive and still be asked about."""

HORIZON = REACH + LATEST
"""What a state has to know of the past, so that it says the same as one that has known everything."""

_WEEK = 7 * DAY
# 1970 began on a Thursday.
_FIRST_SATURDAY = 2 * DAY
_HOUR = 3_600_000
_NIGHT_ENDS = 7 * _HOUR
_MISSING = math.nan

UNUSUAL = 2.5
"""How many times what a card usually pays is unusually much."""

_Vector = list[float]


@dataclass(slots=True)
class Record:
    """What is remembered of a card or a terminal: its uses with their cents, and those that are known as fraud."""

    uses: Timeline = field(default_factory=lambda: Timeline(HORIZON))
    frauds: Timeline = field(default_factory=lambda: Timeline(HORIZON))

    def take(self, event: FraudEvent) -> None:
        """Take in a transaction or a label."""
        if isinstance(event, Transaction):
            self.uses.add(event.at, event.cents)
        elif event.change:
            self.frauds.add(event.at, event.change)

    def rests_since(self, moment: int) -> bool:
        """Whether all of it happened before the moment."""
        return all(each.newest is None or each.newest < moment for each in (self.uses, self.frauds))


@dataclass(slots=True)
class FraudState:
    """Every card and terminal by its name, those first that were not heard of for the longest."""

    cards: OrderedDict[str, Record] = field(default_factory=OrderedDict)
    terminals: OrderedDict[str, Record] = field(default_factory=OrderedDict)

    def forget(self, before: int, most: int = 1_000) -> None:
        """Drop cards and terminals of which everything happened before a moment, at most so many of each.

        Nothing changes for who asks about a transaction of `before + REACH` or later, whatever comes in still: no
        window reaches what was dropped. It ends at the first that has to stay. What waits behind that one was heard of
        later, so that no more is kept than what somebody spoke of in the last `HORIZON` or so.
        """
        for records in (self.cards, self.terminals):
            for _ in range(min(most, len(records))):
                name, record = next(iter(records.items()))
                if not record.rests_since(before):
                    break
                del records[name]


class FraudFeatures:
    """The definition. Amounts are in the currency's main unit, times in hours or days as the names say."""

    version = "fraud-1"
    names = (
        *("amount", "hour", "night", "weekend"),
        *("card_uses_1h", "card_uses_1d", "card_mean_1d", "card_uses_7d", "card_mean_7d"),
        *("card_uses_30d", "card_mean_30d", "amount_to_card_mean", "card_mean_above", "hours_since_use", "card_frauds"),
        *("amount_to_settled_mean", "card_high_uses_14d", "card_highest_14d"),
        *("terminal_uses_1d", "terminal_risk_1d", "terminal_uses_7d", "terminal_risk_7d"),
        *("terminal_uses_30d", "terminal_risk_30d", "terminal_frauds_28d"),
        *("days_since_terminal_fraud", "days_since_first_terminal_fraud"),
        *("terminal_frauds_in_a_row", "days_since_row_began"),
    )

    def start(self) -> FraudState:
        """Nothing is known yet."""
        return FraudState()

    def update(self, state: FraudState, event: FraudEvent) -> None:
        """Take in a transaction or a label."""
        for records, name in ((state.cards, event.card), (state.terminals, event.terminal)):
            record = records.get(name)
            if record is None:
                record = records[name] = Record()
            else:
                records.move_to_end(name)
            record.take(event)

    def vector(self, state: FraudState, event: FraudEvent) -> Floats:
        """The features of a transaction, (len(names),). What cannot be said yet is NaN. Labels have none."""
        if isinstance(event, Label):
            raise TypeError("a label has no features")
        values = _of_itself(event)
        values += _of_card(state.cards.get(event.card) or Record(), event)
        values += _of_terminal(state.terminals.get(event.terminal) or Record(), event.at)
        return np.array(values, dtype=np.float64)


def _of_itself(event: Transaction) -> _Vector:
    time = event.at % DAY
    weekend = (event.at - _FIRST_SATURDAY) % _WEEK < 2 * DAY
    return [event.cents / 100, time / _HOUR, float(time < _NIGHT_ENDS), float(weekend)]


def _of_card(card: Record, event: Transaction) -> _Vector:
    """Counts and means have this use in them; what it is compared with has not."""
    at, cents = event.at, event.cents
    values: _Vector = [card.uses.window(at - _HOUR, at)[0] + 1]
    before, spent = 0, 0
    for days in WINDOWS:
        before, spent = card.uses.window(at - days * DAY, at)
        values += [before + 1, (spent + cents) / 100 / (before + 1)]
    last = card.uses.latest(at)
    values += [
        cents * before / spent if before else _MISSING,
        (cents - spent / before) / 100 if before else _MISSING,
        (at - last) / _HOUR if last is not None and at - last <= REACH else _MISSING,
        card.frauds.window(at - REACH, at)[1],
    ]
    # A card that was copied pays too much for two weeks, which would hide in the mean of thirty days.
    count, paid = card.uses.window(at - REACH, at - 14 * DAY)
    if not count:
        return [*values, _MISSING, _MISSING, _MISSING]
    usual = paid / count
    lately = [each for _, each in card.uses.entries(at - 14 * DAY, at)]
    high = sum(each > UNUSUAL * usual for each in lately)
    return [*values, cents / usual, high, max(lately, default=0) / usual]


def _of_terminal(terminal: Record, at: int) -> _Vector:
    """All of it as of a week ago: what happened since is not known for what it was."""
    known = at - DELAY
    values: _Vector = []
    for days in WINDOWS:
        uses, _ = terminal.uses.window(known - days * DAY, known)
        bad = terminal.frauds.window(known - days * DAY, known)[1]
        values += [uses, bad / uses if uses else 0.0]
    frauds = _standing(terminal.frauds.entries(known - 35 * DAY, known))
    if not frauds:
        return [*values, 0.0, _MISSING, _MISSING, 0.0, _MISSING]
    row, began = 0, known
    for when, _ in terminal.uses.entries(known - 35 * DAY, known):
        if when not in frauds:
            break
        row, began = row + 1, when
    return [
        *values,
        float(sum(when > known - 28 * DAY for when in frauds)),
        (at - max(frauds)) / DAY,
        (at - min(frauds)) / DAY,
        float(row),
        (at - began) / DAY if row else _MISSING,
    ]


def _standing(changes: Iterable[tuple[int, int]]) -> set[int]:
    """When frauds happened that were not taken back."""
    sums: dict[int, int] = {}
    for when, change in changes:
        sums[when] = sums.get(when, 0) + change
    return {when for when, total in sums.items() if total > 0}
