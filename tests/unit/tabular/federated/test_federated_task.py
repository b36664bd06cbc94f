"""Rows become numbers by the declaration alone, and what does not fit it is named."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from core.errors import InvalidInput
from tabular.federated.task import Category, Label, Number, Task
from tests.unit.tabular.federated.making import TASK

ROW = {"age": "58", "spent": "0", "tier": "gold", "stays": "yes"}


def test_a_row_is_what_was_declared() -> None:
    assert TASK.dimension == 5
    np.testing.assert_allclose(TASK.vector(ROW), [1, 0, -1, 0, 1])
    np.testing.assert_allclose(TASK.vector({**ROW, "spent": "1000", "tier": "basic"}), [1, 0, 1, 1, 0])
    rows = TASK.rows([ROW, {**ROW, "stays": "no"}])
    assert (len(rows), rows.labels.tolist()) == (2, [1.0, 0.0])


def test_what_lies_outside_of_the_range_is_its_end_and_the_unknown_is_nothing() -> None:
    np.testing.assert_allclose(TASK.vector({**ROW, "age": "1e300", "tier": "platinum"}), [1, 1, -1, 0, 0])
    np.testing.assert_allclose(TASK.vector({**ROW, "age": "-inf", "spent": " "}), [1, -1, 0, 0, 1])


@pytest.mark.parametrize(("wrong", "column"), [({"age": "old"}, "age"), ({"spent": "nan"}, "spent")])
def test_a_cell_that_is_no_number_is_named(wrong: dict[str, str], column: str) -> None:
    with pytest.raises(InvalidInput, match=f"row 2: {column}") as refused:
        TASK.rows([ROW, {**ROW, **wrong}])
    assert refused.value.param == column


@pytest.mark.parametrize("column", ["age", "tier", "stays"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(InvalidInput, match=f"row 1: there is no column {column}"):
        TASK.rows([{name: cell for name, cell in ROW.items() if name != column}])


LABEL = {"column": "stays", "value": "yes"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"label": LABEL}, "at least one column"),
        ({"label": LABEL, "numbers": [{"column": "a", "low": 1, "high": 1}]}, "is empty"),
        ({"label": LABEL, "numbers": [{"column": "stays", "low": 0, "high": 1}]}, "declared twice"),
        ({"label": LABEL, "categories": [{"column": "a", "values": ["x", "x"]}]}, "declared twice"),
        ({"label": LABEL, "numbers": [{"column": "a", "low": 0, "high": float("inf")}]}, "finite"),
        (
            {
                "label": LABEL,
                "categories": [{"column": f"c{at}", "values": [str(each) for each in range(1000)]} for at in range(5)],
            },
            "more than 4096",
        ),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(wrong: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Task.model_validate(wrong)


def test_a_declaration_survives_being_written_down() -> None:
    task = Task(
        numbers=(Number(column="a b", low=-1, high=2),),
        categories=(Category(column="ä", values=("é", "")),),
        label=Label(column="y", value="1"),
    )
    assert Task.model_validate_json(task.model_dump_json()) == task
