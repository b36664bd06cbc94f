from pathlib import Path

import numpy as np
import pytest

from core.errors import CorruptArtefact
from core.studentcard import Head, StudentCard

CARD = StudentCard(
    buckets=8,
    heads=(
        Head(name="one", labels=("a", "b"), strange=True, temperature=2.0),
        Head(name="two", labels=("c", "d", "e"), strange=False),
    ),
    line=0.5,
)
LOGITS = np.array([[2, 0, 1, 5, 5, 5], [0, 4, 6, 0, 9, 0]], np.float32)


def test_each_head_has_its_columns() -> None:
    parts = CARD.split(LOGITS)
    assert CARD.columns == 6
    assert parts["one"].tolist() == [[2, 0, 1], [0, 4, 6]]
    assert parts["two"].tolist() == [[5, 5, 5], [0, 9, 0]]


def test_probabilities_are_of_the_labels_alone_at_the_heads_temperature() -> None:
    shares = CARD.probabilities(LOGITS)
    assert shares["one"][0] == pytest.approx([np.e / (np.e + 1), 1 / (np.e + 1)], abs=1e-6)
    assert shares["two"][0] == pytest.approx([1 / 3] * 3)


def test_familiarity_is_the_best_label_less_being_strange() -> None:
    assert CARD.familiarity(LOGITS).tolist() == [1, -2]


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    CARD.write(tmp_path / "student.json")
    assert StudentCard.read(tmp_path / "student.json") == CARD


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file"),
        (b'{"format": 2, "buckets": 8, "heads": []}', "format"),
        (b'{"buckets": 8, "heads": [{"name": "x", "labels": ["a"], "strange": true}]}', r"heads\.0\.labels"),
    ],
)
def test_another_file_is_no_card(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "student.json"
    path.write_bytes(content)
    with pytest.raises(CorruptArtefact, match=rf"no card of a student: {told}"):
        StudentCard.read(path)


def test_a_missing_card_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(CorruptArtefact, match="No such file"):
        StudentCard.read(tmp_path / "none.json")
