from pathlib import Path

import pytest

from core.errors import InvalidInput
from finetune.student.patterns import Patterns

SLOTS = {"what": ["tent", "{size} lamp"], "size": ["small"]}


def test_a_pattern_gives_every_text_it_can() -> None:
    patterns = Patterns({"ask": ["(where|when) is (the |){what}[,.]"]}, SLOTS)
    texts = patterns.write(400, seed=0)
    wanted = {
        f"{word} is {article}{thing}{mark}"
        for word in ("where", "when")
        for article in ("the ", "")
        for thing in ("tent", "small lamp")
        for mark in ",."
    }
    assert set(texts) == wanted
    assert len(texts) == len(wanted)


def test_equal_seeds_give_equal_texts() -> None:
    patterns = Patterns({"ask": ["(a|b|c|d|e|f|g) {what}"]}, SLOTS)
    assert patterns.write(3, seed=1) == patterns.write(3, seed=1)
    assert patterns.write(3, seed=1) != patterns.write(3, seed=2)


def test_spaces_of_empty_alternatives_close_up() -> None:
    assert Patterns({"ask": ["(|) now (|) , please (|) ?"]}, {}).write(1, seed=0) == ["now, please?"]


@pytest.mark.parametrize(
    ("slots", "told"), [({}, "no slot what"), ({"what": ["{size}"], "size": ["{what}"]}, "holds itself")]
)
def test_a_slot_that_cannot_be_filled_is_named(slots: dict[str, list[str]], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Patterns({"ask": ["a {what}"]}, slots)


def test_a_file_without_patterns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    for content in ("[slots]\n", "slots = [", None):
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        with pytest.raises(InvalidInput, match=r"own\.toml holds no patterns"):
            Patterns.read(path)
