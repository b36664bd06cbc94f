from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from finetune.rows import Row, Said, data_hash, read_rows, write_rows

ROWS = [
    Row((Said("system", "Be short."), Said("user", "Where is it?")), "Here.", "tools"),
    Row((Said("user", "héllo ⏎"),), '{"answer":"x"}'),
]


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", ROWS)
    assert [*read_rows(tmp_path / "rows.jsonl")] == ROWS


def test_the_hash_tells_rows_and_their_order_apart() -> None:
    assert data_hash(ROWS) == data_hash([*ROWS])
    assert len({data_hash(ROWS), data_hash(ROWS[::-1]), data_hash(ROWS[:1])}) == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("not json", "line 2"),
        ("[]", "list `messages`"),
        ('{"messages": [{"role": "user", "content": "x"}]}', "assistant's"),
        ('{"messages": [{"role": "assistant", "content": "x"}]}', "after at least one other"),
        ('{"messages": [{"role": "robot", "content": "x"}, {"role": "assistant", "content": "y"}]}', "robot"),
        ('{"messages": [{"role": "user", "content": 7}, {"role": "assistant", "content": "y"}]}', "no message"),
    ],
)
def test_what_is_no_row_is_named_by_its_line(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, ROWS[:1])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InvalidInput, match=told) as refused:
        [*read_rows(path)]
    assert "line 2" in refused.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.jsonl"):
        [*read_rows(tmp_path / "none.jsonl")]
