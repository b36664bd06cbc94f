"""Slots are read from what was heard, also where it was misheard, and nothing is made up."""

from __future__ import annotations

import pytest

from agents.filling import fill, likeness, sounds, spelled

TENTS = {
    "item": ["tent", "sleeping bag", "rucksack", "camping stove"],
    "size": ["small", "medium", "large", "extra large"],
    "count": ["one", "two", "twelve", "twenty"],
    "colour": ["forest green", "green", "blue"],
}


def values(text: str) -> dict[str, str]:
    return {slot: found.value for slot, found in fill(text, TENTS).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two large tents, please.", {"count": "two", "size": "large", "item": "tent"}),
        ("I need 12 sleeping bags", {"count": "twelve", "item": "sleeping bag"}),
        (
            "an extra-large rucksack in forest green",
            {"size": "extra large", "item": "rucksack", "colour": "forest green"},
        ),
        ("the green camping stove", {"item": "camping stove", "colour": "green"}),
        ("I need a sleeping back", {"item": "sleeping bag"}),
        ("one rook sack in meadium", {"count": "one", "item": "rucksack", "size": "medium"}),
        ("a camping stow", {"item": "camping stove"}),
    ],
)
def test_what_was_said_is_read(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize("text", ["", "?!", "My parcel has not arrived.", "Where do I find my invoice?"])
def test_what_was_not_said_is_not_filled(text: str) -> None:
    assert values(text) == {}


def test_a_slot_has_one_value_and_the_likelier_one_wins() -> None:
    assert values("a small, no, a smell tent")["size"] == "small"


def test_a_longer_value_does_not_win_by_a_word_that_was_not_said() -> None:
    assert fill("with milk", {"milk": ["milk", "whole milk"]})["milk"].value == "milk"
    assert fill("with whole milk", {"milk": ["milk", "whole milk"]})["milk"].value == "whole milk"


def test_no_word_stands_for_two_slots() -> None:
    found = fill("medium roast", {"roast": ["medium roast"], "size": ["medium"]})
    assert set(found) == {"roast"}
    assert (found["roast"].start, found["roast"].end, found["roast"].likeness) == (0, 2, 1.0)


def test_values_that_sound_the_same_fill_nothing() -> None:
    assert fill("caret soup", {"dish": ["carrot soup", "carat soup"]}) == {}
    assert fill("carrot soup", {"dish": ["carrot soup", "tomato soup"]})["dish"].value == "carrot soup"


def test_short_values_have_to_be_said_as_they_are() -> None:
    assert fill("an order in me", {"count": ["one", "many"]}) == {}
    assert fill("one order", {"count": ["one", "many"]})["count"].value == "one"


def test_values_come_back_as_they_were_given() -> None:
    assert fill("and sugar", {"sugar": [" Sugar "]})["sugar"].value == " Sugar "


def test_numbers_are_words() -> None:
    assert spelled("It’s 12-ounce, 20 or 999; not 12345") == (
        "it's twelve ounce twenty or nine hundred ninety nine not 12345".split()
    )


@pytest.mark.parametrize(("one", "other"), [("knight", "night"), ("phone", "fone"), ("coffee", "cofee")])
def test_words_that_sound_alike_have_the_same_sounds(one: str, other: str) -> None:
    assert sounds(one) == sounds(other) != ""


def test_likeness_is_symmetric_and_bounded() -> None:
    words = ["tent", "dent", "blue", "e", "x", "rucksack"]
    for one in map(sounds, words):
        for other in map(sounds, words):
            assert likeness(one, other) == pytest.approx(likeness(other, one))
            assert 0 <= likeness(one, other) <= 1
    assert likeness(sounds("tent"), sounds("dent")) > likeness(sounds("tent"), sounds("blue"))
