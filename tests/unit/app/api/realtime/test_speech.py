import pytest

from app.api.realtime.conversation import Piece, heard
from app.api.realtime.speech import Stretches


@pytest.mark.parametrize(
    ("pieces", "stretches"),
    [
        (["You can. ", "It is so. [1]"], ["You can. ", "It is so. [1]"]),
        (
            ["You ", "can. It", " takes a week. [1][2] And", " more"],
            ["You can. ", "It takes a week. [1][2] ", "And more"],
        ),
        (["- one\n- two\n", "and three"], ["- one\n", "- two\n", "and three"]),
        (["It costs 12.", "50 a day."], ["It costs 12.", "50 a day."]),
        (["Only this"], ["Only this"]),
        ([""], []),
    ],
)
def test_stretches_are_sentences_and_nothing_is_lost(pieces: list[str], stretches: list[str]) -> None:
    made = Stretches()
    found = [stretch for piece in pieces for stretch in made.feed(piece)] + made.end()
    assert "".join(found) == "".join(pieces)
    assert found == stretches


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, ""),
        (500, "one two"),
        (999, "one two three"),
        (1000, "one two three four."),
        (1500, "one two three four. five"),
        (9000, "one two three four. five six."),
    ],
)
def test_what_was_heard_is_whole_words(milliseconds: int, text: str) -> None:
    pieces = [Piece("one two three four. ", 1000), Piece("five six. ", 1000), Piece("[1]", 0)]
    assert heard(pieces, milliseconds).removesuffix(" [1]") == text
