import gzip
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InvalidInput
from tabular.tasks.reading import read_rows
from tests.unit.tabular.tasks.making import task

HEAD = "id,income,home,owner,sex,age,paid,more"
LINES = ["1,50,a,Yes,F,30,1,x", '2, ?,"b, c",No,M,40,0,', "3,1.5,,Yes,M,50,1,x"]
VALUES: list[dict[str, str | None]] = [
    {"income": "50", "home": "a", "owner": "Yes"},
    {"income": None, "home": "b, c", "owner": "No"},
    {"income": "1.5", "home": None, "owner": "Yes"},
]


def written(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    elif path.suffix == ".parquet":
        head, *lines = text.strip().split("\n")
        frame = pd.DataFrame([{"income": 50.0}, {"income": None}, {"income": 1.5}])
        for name, values in {"home": ["a", "b, c", None], "owner": ["Yes", "No", "Yes"]}.items():
            frame[name] = values
        frame = frame.assign(id=[1, 2, 3], sex=["F", "M", "M"], age=[30, 40, 50], paid=[1, 0, 1], more=["x", None, "x"])
        frame[head.split(",")].to_parquet(path)
        assert len(lines) == len(frame)
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet"])
def test_every_kind_of_file_says_the_same(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, "\n".join([HEAD, *LINES]) + "\n")
    for given in (path, tmp_path):
        raw = read_rows(given, task())
        found = [{key: each.values[key] for key in ("income", "home", "owner")} for each in raw.rows]
        assert [{**each, "income": each["income"] and str(float(each["income"]))} for each in found] == [
            {**each, "income": each["income"] and str(float(each["income"]))} for each in VALUES
        ]
        assert (raw.further, raw.ragged) == (("more",), [])
    assert [each.line for each in raw.rows] == ([1, 2, 3] if name.endswith("parquet") else [2, 3, 4])


def test_lines_of_another_length_come_out_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "\n".join([HEAD, LINES[0], "1,2", LINES[2] + ",9"]) + "\n")
    raw = read_rows(path, task())
    assert [each.line for each in raw.rows] == [2]
    assert [(each.line, each.plain[:2], each.reason) for each in raw.ragged] == [
        (3, ("1", "2"), "has 2 values, not 8"),
        (4, ("3", "1.5"), "has 9 values, not 8"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("t.csv", b"id,income\n1,2\n", "no column age, home, owner, paid, sex"),
        ("t.csv", f"{HEAD},age\n".encode(), "a column twice"),
        ("t.csv", b"\xff\xfe", "cannot be read"),
        ("t.csv", HEAD.encode() + b'\n"1', "cannot be read"),
        ("t.csv.gz", b"no gzip", "cannot be read"),
        ("t.csv.gz", gzip.compress(HEAD.encode() * 99, mtime=0)[:-9], "cannot be read"),
        ("t.parquet", b"PAR1 is not all", "cannot be read"),
        ("t.pkl", b"", r"no \.csv"),
        ("t.csv", b"", "no column"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, wrong: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=wrong):
        read_rows(tmp_path / name, task())


def test_a_folder_holds_one_table(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path / name, HEAD + "\n")
    with pytest.raises(InvalidInput, match="holds 2 tables"):
        read_rows(tmp_path, task())
