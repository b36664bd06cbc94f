"""The demo company's card transactions in the words of the event log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from app.demo.transactions import Transaction as Drawn
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.features import DELAY


def card_uses(drawn: Sequence[Drawn]) -> Iterator[tuple[Transaction, bool]]:
    """Each transaction, the earliest first, with whether it was fraud."""
    for each in drawn:
        at, cents = int(each.at.timestamp() * 1000), int(each.amount.scaleb(2))
        yield Transaction(each.id, at, each.card_id, each.terminal_id, cents), each.fraud


def lately(uses: Iterator[tuple[Transaction, bool]], moment: datetime) -> list[tuple[Transaction, bool]]:
    """The same, moved by whole weeks, so that the last one is as late as may be and every fraud known by the moment.

    A company's payments go on; the records that are drawn here end on a day. Whole weeks keep weekdays and hours.
    """
    drawn, week = list(uses), 7 * DAY
    known = int(moment.timestamp() * 1000) - DELAY
    shift = (known - max(each.at for each, _ in drawn)) // week * week
    return [(replace(each, at=each.at + shift), fraud) for each, fraud in drawn]
