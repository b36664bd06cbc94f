import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.tasks.usual import train_usual
from tests.unit.tabular.tasks.test_tasks_anomalies import NAMES, usual


def test_pushed_rows_are_found_and_mixed_ones_are_not_for_columns_are_independent() -> None:
    made = train_usual(NAMES, usual(), expected=0.01)
    assert 0.8 < made.pushed.low < made.pushed.value < made.pushed.high < 1
    assert made.mixed.low < 0.5 < made.mixed.high
    assert 0 < made.share.value < 0.03
    assert made.tested == made.pushed.cases == made.mixed.cases == made.share.cases == 400
    assert made.model.rows == 1600
    # Only what can be compared between two models gates.
    assert [name for name, metric in made.metrics.items() if metric.gates] == ["test/pushed-out-auc"]


def test_the_figure_falls_where_more_columns_hide_the_one_that_was_pushed() -> None:
    random = np.random.default_rng(0)
    few, many = (
        train_usual(tuple(f"c{place}" for place in range(count)), random.normal(0, 1, (1000, count)), expected=0.01)
        for count in (2, 40)
    )
    assert many.pushed.high < few.pushed.low


def test_equal_rows_and_seeds_give_equal_models() -> None:
    first, again = (train_usual(NAMES, usual(), expected=0.01) for _ in range(2))
    assert (first.model.told(), first.metrics) == (again.model.told(), again.metrics)


def test_rows_of_which_nothing_is_known_and_columns_that_never_vary_do_not_disturb() -> None:
    rows = usual(500)
    rows[::7] = np.nan
    rows = np.column_stack([rows, np.ones(500)])
    made = train_usual((*NAMES, "one"), rows, expected=0.01)
    assert made.pushed.cases < made.tested == 100
    assert made.pushed.value > 0.8


@pytest.mark.parametrize(
    ("rows", "expected", "wrong"),
    [
        (usual(124), 0.01, "124 sound rows: 125 are the least"),
        (np.ones((200, 3)), 0.01, "every column has one value only"),
        (usual(200), 0.6, "is not unusual"),
    ],
)
def test_what_cannot_be_learned_is_refused(rows: np.ndarray, expected: float, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        train_usual(NAMES, rows, expected=expected)
