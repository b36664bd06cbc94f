from pathlib import Path

import pytest

from agents.examples import Example, merged, of_head, read_examples
from core.errors import InvalidInput


def test_rows_are_read_with_the_labels_that_they_have(tmp_path: Path) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text('{"text": "a", "route": "oos"}\n\n{"text": "b", "category": "fraud", "by": "jonas"}\n')
    assert read_examples(path) == [Example("a", {"route": "oos"}), Example("b", {"category": "fraud"})]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1: not JSON"),
        ('{"route": "support"}', "line 1: no text"),
        ('["text"]', "line 1: no text"),
        ('{"text": "a", "route": "plumbing"}', "'plumbing' is no route"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(line)
    with pytest.raises(InvalidInput, match=complaint):
        read_examples(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_examples(tmp_path / "none")


def test_a_correction_wins_and_leaves_the_rest() -> None:
    first = Example("a", {"route": "support", "priority": "low"})
    assert merged([first, Example("a", {"route": "person"})]) == [Example("a", {"route": "person", "priority": "low"})]
    assert first.labels["route"] == "support"


def test_a_head_gets_the_examples_that_speak_of_it() -> None:
    examples = [Example("a", {"route": "oos"}), Example("b", {"priority": "low"})]
    assert of_head(examples, "priority") == (["b"], ["low"])
