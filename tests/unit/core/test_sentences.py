"""Where sentences end, and where they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sentences import sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Use an app, e.g. Pay, i.e. the new one.",
        "See No. 5 and Sec. 3 on p. 12.",
        "It costs 3.5 % or $1,200.50 a year.",
        "Dr. Smith and Mr. Lee moved to the U.S. Department.",
        "Read https://shop.example/a.b?c=1.2 or www.shop.example first.",
        "Open from 9 a.m. to 5 p.m. on Fridays.",
        "Order min. 5 and max. 10 pieces, approx. 2 kg.",
        "J. K. Rowling paid Acme Inc. twice.",
        "Version 1.2.3 of app.py is out.",
    ],
)
def test_abbreviations_numbers_and_addresses_do_not_end_a_sentence(sentence: str) -> None:
    assert split(f"{sentence} Then it goes on.") == [sentence, "Then it goes on."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Is it free? Yes! It is.", ["Is it free?", "Yes!", "It is."]),
        ('She said "Go." He left.', ['She said "Go."', "He left."]),
        ("It costs $5. 30 days later it ends.", ["It costs $5.", "30 days later it ends."]),
        ("He lives in the U.S. He likes it.", ["He lives in the U.S.", "He likes it."]),
        ("It is 5 EUR [1]. You pay [2].", ["It is 5 EUR [1].", "You pay [2]."]),
        ("- One. Two.\n  - Three\n2. Four\n", ["One.", "Two.", "Three", "Four"]),
        ("Heading\n\nText below it.", ["Heading", "Text below it."]),
        (
            "Status: Placed; Meaning: We have it. You can cancel.",
            ["Status: Placed; Meaning: We have it. You can cancel."],
        ),
        ("Note: this is one. This is two.", ["Note: this is one.", "This is two."]),
        ("", []),
        (" \n\n- \n", []),
    ],
)
def test_ends(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(st.text(alphabet=st.sampled_from('aB .!?\n-;:12\u00e9\u2028"()*'), max_size=80) | st.text(max_size=40))
def test_spans_are_ordered_trimmed_and_leave_only_markers_out(text: str) -> None:
    spans = sentences(text)
    end = 0
    for first, last in spans:
        assert end <= first < last <= len(text)
        assert text[first:last] == text[first:last].strip()
        end = last
    covered = {at for first, last in spans for at in range(first, last)}
    left = "".join(c for at, c in enumerate(text) if at not in covered and not c.isspace())
    assert not any(c.isalpha() for c in left)
