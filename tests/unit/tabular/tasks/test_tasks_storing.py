from pathlib import Path
from typing import Any

import pytest

from core.errors import CorruptArtefact
from tabular.tasks.storing import FILE, load, save


def read(told: Any) -> int:
    return int(told["answer"])


def test_what_is_saved_is_read_by_its_kind(tmp_path: Path) -> None:
    files = save("answers", {"answer": 42}, tmp_path / "new")
    assert load("answers", files, read) == 42
    assert save("answers", {"answer": 42}, tmp_path / "again")[FILE].read_bytes() == files[FILE].read_bytes()
    with pytest.raises(CorruptArtefact, match="holds no questions: it is answers of format 1"):
        load("questions", files, read)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format":2,"kind":"answers","model":{"answer":42}}',
        '{"format":1,"kind":"answers","model":{}}',
        '{"format":1,"kind":"answers","model":{"answer":"many"}}',
        '{"format":1,"kind":"answers","model":[]}',
    ],
)
def test_anything_else_is_broken(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(CorruptArtefact, match="holds no answers"):
        load("answers", {FILE: tmp_path / FILE}, read)


def test_a_file_that_is_not_there_is_broken_too(tmp_path: Path) -> None:
    for files in ({}, {FILE: tmp_path / FILE}):
        with pytest.raises(CorruptArtefact):
            load("answers", files, read)
