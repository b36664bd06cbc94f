import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.tasks.segmenting import find_segments


def customers(count: int = 300, noise: float = 0.15) -> np.ndarray:
    """Three kinds: many purchases lately, few long ago, one of little money a while ago."""
    random = np.random.default_rng(0)
    kinds = np.array([(3, 60, 5000), (300, 3, 400), (60, 1, 10)], dtype=float)
    return kinds[np.arange(count) % 3] * random.lognormal(0, noise, (count, 3))


def test_the_kinds_are_found_numbered_by_spending_and_told() -> None:
    rows = customers()
    found = find_segments(rows).segments
    assert found.of(rows).tolist() == [0, 1, 2] * 100
    assert [each.words for each in found.each] == [
        "bought lately, buys often, spends much",
        "has not bought for long, buys now and then, spends a fair amount",
        "bought a while ago, buys seldom, spends little",
    ]
    assert [each.customers for each in found.each] == [100, 100, 100]
    kinds = rows.reshape(100, 3, 3)
    assert [each.share for each in found.each] == pytest.approx(kinds[:, :, 2].sum(axis=0) / rows[:, 2].sum())
    medians = np.array([(each.recency, each.purchases, each.spending) for each in found.each])
    assert medians == pytest.approx(np.median(kinds, axis=0))


def test_figures_are_of_customers_held_out() -> None:
    found = find_segments(customers())
    assert 0.7 < found.silhouette.low < found.silhouette.value < found.silhouette.high < 1
    # Of 300 customers, as many as the nearest step.
    assert found.silhouette.cases == found.same.cases == 200
    assert found.same.value == 1.0
    assert found.segments.silhouette == found.silhouette.value


def test_where_there_are_no_kinds_the_figures_say_so() -> None:
    lumps, none = find_segments(customers()), find_segments(np.random.default_rng(5).lognormal(2, 1, (300, 3)))
    assert none.silhouette.high < lumps.silhouette.low
    assert none.silhouette.value < 0.35
    # Found without a fifth of the customers, segments of nothing lie elsewhere.
    assert 0.3 < none.same.value < 0.99


def test_segments_that_lie_between_the_same_thirds_are_told_apart() -> None:
    # Two kinds of those who spend most, one of them much more.
    random = np.random.default_rng(1)
    kinds = np.array([(3, 50, 9000), (3, 50, 2000), (90, 4, 90), (90, 4, 80), (400, 1, 5), (400, 1, 6)], dtype=float)
    rows = kinds[np.arange(600) % 6] * random.lognormal(0, 0.03, (600, 3))
    words = [each.words for each in find_segments(rows).segments.each]
    assert len(set(words)) == len(words)
    assert words[0].startswith("bought lately, buys often, spends much (about 8,")


def test_another_start_changes_nothing() -> None:
    rows = customers()
    first, second = find_segments(rows), find_segments(rows, seed=9)
    assert np.array_equal(first.segments.of(rows), second.segments.of(rows))
    again = find_segments(rows)
    assert (again.silhouette, again.segments.told()) == (first.silhouette, first.segments.told())


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [(customers(49), "50 are the least"), (customers(60, noise=0)[np.arange(60) % 2], "of 2 kinds")],
)
def test_customers_who_cannot_be_parted_are_refused(rows: np.ndarray, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        find_segments(rows)


def test_three_kinds_without_any_difference_within_them_are_enough() -> None:
    assert find_segments(customers(60, noise=0)).silhouette.value == pytest.approx(1.0)
