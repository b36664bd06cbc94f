from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import InvalidInput
from tabular.tasks.numbers import matrix_of, read_numbers

COUNT = 200
RANDOM = np.random.default_rng(0)
AMOUNT = [f"{value:.2f}" for value in RANDOM.lognormal(3, 0.4, COUNT)]
VISITS = [str(value) for value in RANDOM.poisson(5, COUNT)]


def file(folder: Path, **columns: Sequence[str]) -> Path:
    path = folder / "table.csv"
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def left_out(path: Path) -> dict[str, str]:
    return {each.name: each.why for each in read_numbers(path).left_out}


def test_columns_of_numbers_are_taken_as_they_are(tmp_path: Path) -> None:
    amount = ["", *AMOUNT[1:]]
    table = read_numbers(file(tmp_path, amount=amount, visits=VISITS))
    assert (table.names, table.left_out, table.problems) == (("amount", "visits"), (), ())
    assert np.isnan(table.matrix[0, 0])
    assert table.matrix[1:, 0].tolist() == [float(each) for each in AMOUNT[1:]]
    assert table.matrix[:, 1].tolist() == [float(each) for each in VISITS]


def test_every_other_column_is_named_with_the_reason(tmp_path: Path) -> None:
    shuffled = [str(each) for each in RANDOM.permutation(COUNT) + 1000]
    path = file(
        tmp_path,
        amount=AMOUNT,
        town=["Galway"] * COUNT,
        mixed=["much"] * 30 + VISITS[30:],
        never=["?"] * COUNT,
        seldom=[*VISITS[:90], *[""] * 110],
        number=[str(each) for each in range(COUNT)],
        left=[str(-each / 3) for each in range(COUNT)],
        shuffled=shuffled,
    )
    assert read_numbers(path).names == ("amount",)
    assert left_out(path) == {
        "town": "is text, such as 'Galway' in line 2",
        "mixed": "is text in 30 of 200 rows, such as 'much' in line 2",
        "never": "is never known",
        "seldom": "is known in 90 sound rows, and 100 are the least",
        "number": "only ever rises: it names or dates the rows",
        "left": "only ever falls: it names or dates the rows",
        "shuffled": "is another whole number in each row: it names them",
    }


def test_a_column_that_never_varies_is_kept(tmp_path: Path) -> None:
    # Another value in it, once, is as unusual as can be.
    assert read_numbers(file(tmp_path, amount=AMOUNT, one=["1"] * COUNT)).names == ("amount", "one")


def test_rows_that_are_not_sound_are_set_aside_with_every_problem(tmp_path: Path) -> None:
    amount, visits = list(AMOUNT), list(VISITS)
    amount[3], visits[3], visits[7], amount[9] = "much", "inf", "1e16", "10,5"
    path = file(tmp_path, amount=amount, visits=visits)
    table = read_numbers(path)
    assert (table.rejected, len(table.matrix)) == (3, COUNT - 3)
    assert [(each.line, each.column, each.reason) for each in table.problems] == [
        (5, "amount", "is no number"),
        (5, "visits", "is further than 1e15 from zero"),
        (9, "visits", "is further than 1e15 from zero"),
        (11, "", "has 3 values, not 2"),
    ]
    assert table.problems[0].plain == ("much", "inf")


def test_parquet_is_read_alike(tmp_path: Path) -> None:
    frame = pd.DataFrame({"amount": [float(each) for each in AMOUNT], "town": "Galway"})
    frame.to_parquet(tmp_path / "table.parquet")
    table = read_numbers(tmp_path / "table.parquet")
    assert (table.names, [each.name for each in table.left_out]) == (("amount",), ["town"])
    assert table.matrix[:, 0].tolist() == [float(each) for each in AMOUNT]


def test_a_file_without_numbers_and_one_with_too_many_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"has 0 columns of numbers.*; town is text, such as 'Galway'"):
        read_numbers(file(tmp_path, town=["Galway"] * COUNT))
    with pytest.raises(InvalidInput, match=r"has 0 columns of numbers.*; amount is never known"):
        read_numbers(file(tmp_path, amount=[]))
    with pytest.raises(InvalidInput, match="has 101 columns of numbers, and 1 to 100 are taken"):
        read_numbers(file(tmp_path, **{f"c{place}": AMOUNT for place in range(101)}))


def test_rows_of_a_request_become_a_matrix_in_the_models_order() -> None:
    found = matrix_of(("a", "b"), [{"b": 2, "a": 1.5}, {"a": None, "b": 3}])
    assert np.array_equal(found, [[1.5, 2], [np.nan, 3]], equal_nan=True)


@pytest.mark.parametrize(
    ("row", "path", "said"),
    [
        ({"a": 1}, "rows.1.b", "b is missing; null stands for what is not known"),
        ({"a": 1, "b": 2, "c": 3}, "rows.1.c", "c is no column that the model meets: a, b"),
        ({"a": 1, "b": -1.1e15}, "rows.1.b", "b is further than 1e15 from zero"),
    ],
)
def test_a_row_with_other_columns_is_refused_by_its_path(row: dict[str, float | None], path: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        matrix_of(("a", "b"), [{"a": 1, "b": 2}, row])
    assert (refused.value.param, refused.value.message) == (path, said)
