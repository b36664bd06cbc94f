from pathlib import Path

import pytest

from core.errors import InvalidInput
from tabular.tasks.rejected import rejected_beside, write_rejected
from tabular.tasks.schema import read_table
from tests.unit.tabular.tasks.making import task

HEAD = "id,income,home,owner,sex,age,paid"
GOOD = ["1,50,a,Yes,F,30,1", "2,,,No,M,40,0"]
BAD = [
    "3,much,a,Yes,F,30,1",
    "4,50,a,perhaps,F,17,1",
    "5,50,a,Yes,,30,?",
    "6,50,a",
    "7,50,a,Yes,F,30,2",
]


def file(folder: Path, *lines: str) -> Path:
    path = folder / "loans.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n")
    return path


def test_rows_are_parted_with_every_problem_of_each(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, GOOD[0], *BAD, GOOD[1]), task())
    assert (len(table), table.rejected, table.target.tolist()) == (2, 5, [True, False])
    assert table.columns["income"] == ["50", None]
    assert [(each.line, each.column, each.reason) for each in table.problems] == [
        (3, "income", "is no number from 0 to 1000"),
        (4, "age", "is no whole number from 18 to 99"),
        (4, "owner", "is neither Yes nor No"),
        (5, "paid", "is missing"),
        (5, "sex", "is missing"),
        (6, "", "has 3 values, not 7"),
        (7, "paid", "is none of 1, 0"),
    ]


def test_what_is_set_aside_is_kept_as_it_stood(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, *GOOD, *BAD), task())
    write_rejected(table.header, table.problems, rejected_beside(tmp_path / "loans.csv"))
    head, *lines = (tmp_path / "loans.rejected.csv").read_text().splitlines()
    assert head == f"line,column,reason,{HEAD}"
    for text in BAD:
        assert any(line.endswith((f",{text}", f'",{text}')) for line in lines), text
    # It lies beside its file, and is not taken for another table.
    assert len(read_table(tmp_path, task())) == 2


def test_a_file_without_a_sound_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no sound row"):
        read_table(file(tmp_path, *BAD), task())
    with pytest.raises(InvalidInput, match="no sound row"):
        read_table(file(tmp_path), task())
