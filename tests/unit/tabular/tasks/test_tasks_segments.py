import numpy as np
import orjson
import pytest

from tabular.tasks.segments import Purchase, Segment, Segments, nearest, rfm

TOLD = tuple(Segment(words, 10, 0.5, 3.0, 4.0, 100.0) for words in ("spends much", "spends little"))


def segments() -> Segments:
    """Two, apart by spending alone: around 1,000 and 10."""
    middles = np.array([[0.0, 0.0, np.log1p(1000)], [0.0, 0.0, np.log1p(10)]])
    return Segments(np.zeros(3), np.array([100.0, 100.0, 1.0]), middles, TOLD, 0.4)


def test_recency_frequency_and_spending_by_hand() -> None:
    purchases = [Purchase("b", 1, 10), Purchase("a", 5, 2.5), Purchase("b", 8, 30), Purchase("b", 11, 99)]
    names, found = rfm([*purchases, Purchase("a", 6, -9)], now=10)
    assert names == ["a", "b"]
    # What is to come is not known, and nobody spends less than nothing.
    assert found.tolist() == [[4, 2, 0], [2, 2, 40]]
    assert rfm([], now=10)[1].shape == (0, 3)


def test_a_customer_belongs_to_the_nearest() -> None:
    assert segments().of(np.array([[5.0, 2.0, 900.0], [5.0, 2.0, 12.0], [5.0, 2.0, 0.0]])).tolist() == [0, 1, 1]
    assert nearest(np.array([[1.0, 0, 0]]), np.array([[9.0, 0, 0], [0.0, 0, 0], [2.5, 0, 0]])).tolist() == [1]


def test_a_file_changes_nothing() -> None:
    again = Segments.read(orjson.loads(orjson.dumps(segments().told())))
    rows = np.random.default_rng(0).lognormal(3, 2, (200, 3))
    assert np.array_equal(again.of(rows), segments().of(rows))
    assert (again.each, again.silhouette) == (TOLD, 0.4)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"each": []}, "no segments"),
        ({"each": [segments().told()["each"][0]]}, "no segments"),
        ({"centre": [1.0, 2.0]}, "no segments"),
        ({"spread": [1.0, 0.0, 1.0]}, "numbers that are none"),
        ({"centre": [1.0, None, 1.0]}, "numbers that are none"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Segments.read({**segments().told(), **change})
    with pytest.raises(KeyError):
        Segments.read({})
