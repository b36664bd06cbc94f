"""Measuring forward in time, and purchases as entries of the log."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.recommend.forward import bootstrapped, measured_forward
from tabular.recommend.purchases import Purchase, PurchaseLog
from tabular.recommend.records import (
    REACTIONS,
    Reacted,
    Reaction,
    purchase_event,
    purchases,
    reacted,
    reaction_event,
    withdrawal_event,
)
from tabular.recommend.training import Catalogue
from tests.unit.tabular.recommend.conftest import BEGUN, TITLES, bought, embed


def test_habits_are_foretold_better_than_by_what_sells(log: PurchaseLog) -> None:
    found = measured_forward(log, Catalogue(TITLES, embed))
    assert len(found.model) == len(found.popularity) == 50
    gain = bootstrapped(found.model - found.popularity)
    assert gain.low > 0
    assert gain.cases == 50


def test_what_comes_after_the_cut_is_not_looked_at(log: PurchaseLog) -> None:
    """Purchases after the cut that nobody could foretell lower the figure, and change nothing of the model."""
    honest = measured_forward(log, Catalogue(TITLES, embed))
    cut = log.end - 28
    changed = [
        Purchase(each.customer, "a-new-item" if each_day(each.time) >= cut else each.item, each.time, each.basket)
        for each in purchases_of(log)
    ]
    blind = measured_forward(PurchaseLog.of(changed), Catalogue(TITLES, embed))
    assert blind.model.max() == 0
    assert honest.model.mean() > 0.3


def test_too_few_customers_measure_nothing() -> None:
    few = PurchaseLog.of(bought(f"c{number}", "a", day) for number in range(19) for day in (0, 100))
    with pytest.raises(InvalidInput, match="19 customers"):
        measured_forward(few, Catalogue({}))


def test_intervals_are_those_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(2, 1, 400)
    found = bootstrapped(values)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert bootstrapped(np.ones(7)).low == bootstrapped(np.ones(7)).high == 1


def test_orders_come_back_as_they_went_in_but_for_those_withdrawn() -> None:
    moment = int(BEGUN.timestamp() * 1000)
    events = [
        withdrawal_event("O2", moment + 5),
        purchase_event("O1", "c1", ["b", "a", "b"], moment, moment + 9),
        purchase_event("O2", "c1", ["z"], moment, moment),
    ]
    assert list(purchases(events)) == [Purchase("c1", item, BEGUN, "O1") for item in ("a", "b")]


def test_reactions_come_back_as_they_went_in() -> None:
    for reaction in Reaction:
        one = Reacted("rec_1", "c1", "a", 3, 0.25, reaction)
        event = reaction_event(one, 77)
        assert (event.kind, event.id, REACTIONS[event.kind]) == (f"recommendation_{reaction}", "rec_1/a", reaction)
        assert reacted(event) == one


def each_day(time: datetime) -> float:
    return time.timestamp() / 86_400


def purchases_of(log: PurchaseLog) -> list[Purchase]:
    return [
        Purchase(
            log.customers[log.customer[line]],
            log.items[log.item[line]],
            BEGUN + timedelta(days=float(log.day[line]) - each_day(BEGUN)),
            log.baskets[log.basket[line]],
        )
        for line in range(len(log))
    ]
