import numpy as np
import orjson
import pytest

from core.errors import InvalidInput
from tabular.tasks.segments import Order, Segments, find_segments, rfm


def customers(count: int = 300) -> np.ndarray:
    """Three kinds: many purchases lately, few long ago, one of little money a while ago."""
    random = np.random.default_rng(0)
    kinds = np.array([(3, 60, 5000), (300, 3, 400), (60, 1, 10)], dtype=float)
    return kinds[np.arange(count) % 3] * random.lognormal(0, 0.15, (count, 3))


def test_recency_frequency_and_spending_by_hand() -> None:
    orders = [Order("b", 1, 10), Order("a", 5, 2.5), Order("b", 8, 30), Order("b", 11, 99), Order("a", 6, -9)]
    names, found = rfm(orders, now=10)
    assert names == ["a", "b"]
    # What is to come is not known, and nobody spends less than nothing.
    assert found.tolist() == [[4, 2, 0], [2, 2, 40]]


def test_the_kinds_are_found_numbered_by_spending_and_told() -> None:
    rows = customers()
    found = find_segments(rows)
    assert len(found.words) == 3
    assert found.of(rows).tolist() == [0, 1, 2] * 100
    assert found.words == (
        "bought lately, buys often, spends much",
        "has not bought for long, buys now and then, spends a fair amount",
        "bought a while ago, buys seldom, spends little",
    )
    assert found.silhouette > 0.7


def test_another_start_and_a_file_change_nothing() -> None:
    rows = customers()
    first, second = find_segments(rows), find_segments(rows, seed=9)
    assert np.array_equal(first.of(rows), second.of(rows))
    again = Segments.read(orjson.loads(orjson.dumps(first.told())))
    assert np.array_equal(again.of(rows), first.of(rows))
    assert again.words == first.words
    with pytest.raises(ValueError, match="no segments"):
        Segments.read({**first.told(), "words": ["one"]})


def test_few_customers_have_no_segments() -> None:
    with pytest.raises(InvalidInput, match="50 are the least"):
        find_segments(customers(49))
