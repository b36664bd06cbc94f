from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from tabular.recommend.history import Basket, History, first_baskets, histories
from tabular.recommend.purchases import DAY, Purchase, PurchaseLog, day_of
from tests.unit.tabular.recommend.conftest import BEGUN, bought

ZERO = day_of(BEGUN)


def test_a_log_orders_by_customer_and_time_and_keeps_a_line_once() -> None:
    log = PurchaseLog.of(
        [bought("z", "x", 1), bought("a", "y", 5), bought("a", "x", 2), bought("a", "x", 2), bought("a", "b", 5)]
    )
    assert log.customers == ("a", "z")
    assert log.items == ("b", "x", "y")
    assert log.baskets == ("a-2", "a-5", "z-1")
    assert [log.items[place] for place in log.item] == ["x", "b", "y", "x"]
    assert log.basket.tolist() == [0, 1, 1, 2]
    assert (log.day - ZERO).tolist() == [2, 5, 5, 1]


def test_the_day_of_a_basket_is_that_of_its_earliest_line() -> None:
    log = PurchaseLog.of([bought("a", "x", 4, "one"), bought("a", "y", 3, "one")])
    assert (log.day - ZERO).tolist() == [3, 3]


def test_before_knows_nothing_of_what_came_later() -> None:
    log = PurchaseLog.of([bought("a", "x", 1), bought("a", "y", 3), bought("b", "z", 3)])
    past, future = log.before(ZERO + 3), log.since(ZERO + 3)
    assert (past.customers, past.items, past.baskets) == (("a",), ("x",), ("a-1",))
    assert (future.customers, future.items) == (("a", "b"), ("y", "z"))
    assert len(past) + len(future) == len(log)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 6)), max_size=25), st.data())
def test_the_order_of_arrival_does_not_matter(rows: list[tuple[str, str, int]], data: st.DataObject) -> None:
    lines = [bought(customer, item, day) for customer, item, day in rows]
    log, shuffled = PurchaseLog.of(lines), PurchaseLog.of(data.draw(st.permutations(lines)))
    assert (log.customers, log.items, log.baskets) == (shuffled.customers, shuffled.items, shuffled.baskets)
    assert np.array_equal(log.item, shuffled.item)
    assert np.array_equal(log.day, shuffled.day)


def test_an_empty_log_has_no_end_and_a_time_needs_a_zone() -> None:
    with pytest.raises(InvalidInput, match="no purchases"):
        _ = PurchaseLog.of([]).end
    with pytest.raises(InvalidInput, match="time zone"):
        day_of(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 6), st.sampled_from("pqr")), max_size=20), st.data())
def test_live_purchases_in_any_order_make_the_history_of_the_log(
    rows: list[tuple[str, int, str]], data: st.DataObject
) -> None:
    lines = [bought("c", item, day, basket) for item, day, basket in rows]
    live = History()
    # Any of them comes twice: delivery is at least once.
    for line in data.draw(st.permutations([*lines, *lines[:3]])):
        live = live.with_purchase(line)
    assert live == histories(PurchaseLog.of(lines)).get("c", History())


def test_a_purchase_leaves_the_earlier_history_as_it_was() -> None:
    before = History().with_purchase(bought("c", "x", 1))
    after = before.with_purchase(bought("c", "y", 2))
    assert before.items == {"x"}
    assert after.items == {"x", "y"}
    assert [basket.day - ZERO for basket in after.baskets] == [1, 2]


def test_first_baskets_are_the_earliest() -> None:
    log = PurchaseLog.of([bought("c", "y", 5), bought("c", "x", 2), bought("c", "w", 2)])
    assert first_baskets(log) == {"c": Basket(ZERO + 2, "c-2", ("w", "x"))}


def test_a_day_is_a_day() -> None:
    later = Purchase("c", "x", BEGUN + timedelta(seconds=DAY / 2), "b")
    assert day_of(later.time) - ZERO == 0.5
