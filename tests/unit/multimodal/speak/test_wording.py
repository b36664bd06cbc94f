import pytest

from multimodal.speak.wording import LONGEST, spoken


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("You can return a tent within 30 days. [1]", ["You can return a tent within 30 days."]),
        ("Yes [1][2]. And so [1, 3], too.", ["Yes.", "And so, too."]),
        ("## Returns\n- One thing\n2. Another", ["Returns", "One thing", "Another"]),
        ("It is **very** _light_ and `fast`, ***truly***.", ["It is very light and fast, truly."]),
        ("snake_case_name and 2 * 3 * 4", ["snake_case_name and 2 * 3 * 4"]),
        ("See [our guide](https://a.example/x) ![a tent](t.png).", ["See our guide a tent."]),
        ("See https://www.harbor.example/returns?id=1.", ["See harbor dot example."]),
        ("Write to help@harbor.example!", ["Write to help at harbor dot example!"]),
        ("Your order ORD-10421 is late.", ["Your order 1 0 4 2 1 is late."]),
        ("ORD-10421 has come.", ["order 1 0 4 2 1 has come."]),
        ("We have SKU-0137 and TCK-00031.", ["We have S K U 0 1 3 7 and ticket 0 0 0 3 1."]),
        ("The approval apr_3fa85f64b2c1 waits.", ["The approval ending in B 2 C 1 waits."]),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |", ["a, b", "1, 2"]),
        ("> so it said\n\n---\n\n```python\nx = 1\n```", ["so it said", "x = 1"]),
        ("[a](/b/)", ["a"]),
        ("", []),
        ("[1] … — **", []),
    ],
)
def test_what_is_written_is_put_into_words(text: str, said: list[str]) -> None:
    assert spoken(text) == said


def test_a_long_sentence_is_parted_at_its_clauses() -> None:
    clause = "and then we walked on along the shore for another hour or so"
    text = ", ".join([clause] * 12)
    parts = spoken(text)
    assert len(parts) > 1
    assert all(len(part) <= LONGEST for part in parts)
    assert all(part.startswith("and then") for part in parts)
    assert " ".join(parts) == text


@pytest.mark.parametrize("text", ["word " * 500, "x" * 2000])
def test_nothing_of_what_has_no_clauses_is_lost(text: str) -> None:
    parts = spoken(text)
    assert all(len(part) <= LONGEST for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_marks_without_an_end_take_no_time() -> None:
    for hostile in ("*" * 4096, "[" * 4096, "`" * 4096, "_a" * 2048, "> " * 2048, "|" * 4096, "a@" * 2048, "[1" * 2048):
        spoken(hostile)
