from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from core.errors import CorruptArtefact, InvalidInput
from tabular.drift.reference import RANKS, WEEK, Sample, describe, load, week_of
from tests.unit.tabular.drift.worlds import World


def test_it_is_small_and_read_as_it_was_written() -> None:
    small, large = World(1, rows=1_000).reference(), World(1, rows=8_000).reference()
    assert load(large.dump()) == large
    # It does not grow with the rows, and holds none of them.
    assert len(large.dump()) < 1.2 * len(small.dump())
    assert (large.weeks, large.rows, len(large.columns[0].ranks)) == (8, 64_000, RANKS)
    assert sum(map(sum, large.columns[0].counts)) == large.rows


def test_weeks_are_counted_back_from_the_end() -> None:
    end = 3 * WEEK + 5
    at = np.array([0, 5, WEEK + 4, WEEK + 5, end - 1, end])
    assert week_of(at, 0, end).tolist() == [-1, 0, 0, 1, 2, -1]


def test_bins_in_words_and_what_is_in_them() -> None:
    at = np.arange(100) * (WEEK // 100)
    numbers = np.arange(100.0)
    numbers[90:] = np.nan
    sample = Sample(at, {"age": numbers}, {"kind": np.array(["a", "b"] * 50)})
    age, kind = describe(sample, 0, WEEK, model="m", features="f").columns
    assert age.bins()[0] == "up to 0"
    assert age.bins()[-2:] == ("above 89", "not known") or age.bins()[-2].startswith("above ")
    assert age.count(numbers).sum() == 100
    assert age.count(numbers)[-1] == 10
    assert kind.count(np.array(["a", "c", "c"])).tolist() == [1, 0, 2]
    assert kind.bins() == ("a", "b", "other")


def test_a_column_that_is_never_known_or_always_the_same() -> None:
    at = np.arange(50) * (WEEK // 50)
    sample = Sample(at, {"never": np.full(50, np.nan), "same": np.full(50, 7.0)}, {})
    reference = describe(sample, 0, WEEK, model="m", features="f")
    never, same = load(reference.dump()).columns
    assert (never.bins(), never.count(np.array([np.nan, 1.0])).tolist()) == (("any", "not known"), [1, 1])
    assert same.count(np.array([7.0, 8.0, np.nan])).tolist() == [2, 1]


@pytest.mark.parametrize("weeks", [0, 2])
def test_weeks_without_rows_make_none(weeks: int) -> None:
    sample = Sample(np.array([3]), {"x": np.array([1.0])}, {})
    with pytest.raises(InvalidInput, match="whole weeks"):
        describe(sample, 0, weeks * WEEK, model="m", features="f")


def _shorter(column: dict[str, Any]) -> None:
    column["counts"].pop()


def _wider(column: dict[str, Any]) -> None:
    column["counts"][0].append(3)


def _turned(column: dict[str, Any]) -> None:
    column["edges"].reverse()


def _nameless(column: dict[str, Any]) -> None:
    del column["name"]


@pytest.mark.parametrize("spoil", [_shorter, _wider, _turned, _nameless])
def test_what_is_broken_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    stored = orjson.loads(World(1).reference().dump())
    spoil(stored["columns"][0])
    with pytest.raises(CorruptArtefact, match="no reference"):
        load(orjson.dumps(stored))


def test_a_pickle_is_refused() -> None:
    with pytest.raises(CorruptArtefact):
        load(b"\x80\x04")
