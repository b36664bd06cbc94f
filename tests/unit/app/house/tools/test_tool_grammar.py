"""Templates: what they can say, and how broken ones are told."""

from __future__ import annotations

import random

import pytest

from app.house.tools.grammar import Piece, Slot, expand, parse, slots, tidy
from app.house.tools.sets import company, foreign
from app.house.tools.unfit import requests, small_talk
from app.house.tools.values import in_words, lists, money, real, whole, word
from core.errors import InvalidInput


def sentences(template: str) -> set[str]:
    rng = random.Random(3)

    def fill(slot: Slot) -> Piece:
        return Piece(slot.words or f"[{slot.name}]")

    return {tidy("".join(each.text for each in expand(template, rng, fill))) for _ in range(200)}


def test_alternatives_nest_and_may_be_empty() -> None:
    assert sentences("{show|{please |}give} <x> {now|}.") == {
        f"{verb} [x]{end}." for verb in ("show", "give", "please give") for end in (" now", "")
    }


def test_an_article_fits_the_word_that_is_drawn_after_it() -> None:
    assert sentences("a {old|new|used|unique|urgent|one-man} <x=:tent>") == {
        f"{words} tent" for words in ("an old", "a new", "a used", "a unique", "an urgent", "a one-man")
    }


def test_a_slot_may_give_its_value_itself() -> None:
    assert list(slots(parse("{<state=off:switch off>|}"))) == [Slot("state", "off", "switch off")]
    assert sentences("<state=off:switch off> it") == {"switch off it"}


@pytest.mark.parametrize("broken", ["{a|b", "a}", "a|b", "<A>", "<", "a > b"])
def test_a_broken_template_is_refused_by_its_text(broken: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(broken)
    assert repr(broken) in str(refused.value)


def test_every_template_gives_arguments_that_its_tool_has_and_all_that_are_required() -> None:
    for tool in (*company(), *foreign()):
        for template in (*tool.training, *tool.held_out):
            given = {slot.name.partition(".")[0] for slot in slots(parse(template))} - {"x"}
            assert given <= set(tool.arguments), (tool.name, template)
            assert {each.name for each in tool.arguments.values() if each.required} <= given, (tool.name, template)


def test_every_list_that_is_named_exists_and_draws() -> None:
    rng = random.Random(5)
    for name, entries in lists().items():
        assert all(word(name, rng) for _ in range(3))
        for slot in (slot for entry in entries for slot in slots(parse(entry))):
            assert word(slot.name, rng)
    talk = [template for side in (False, True) for template, _ in small_talk(side)]
    asked = [template for group in requests() for template in (*group.training, *group.held_out)]
    for slot in (slot for template in (*talk, *asked) for slot in slots(parse(template))):
        assert word(slot.name, rng)
    with pytest.raises(InvalidInput, match="no words called nonsense"):
        word("nonsense", rng)


@pytest.mark.parametrize(("number", "words"), [(0, "zero"), (15, "fifteen"), (40, "forty"), (72, "seventy-two")])
def test_numbers_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_numbers_are_said_as_they_are_meant() -> None:
    rng = random.Random(11)
    dozens = {"half a dozen": 6, "a dozen": 12, "two dozen": 24, "three dozen": 36, "four dozen": 48}
    seen = set()
    for _ in range(3000):
        text, number = whole(1, 2000, rng)
        assert 1 <= number <= 2000
        if text in dozens:
            assert dozens[text] == number
        elif text[0].isdigit():
            assert int(text.replace(",", "")) == number
        else:
            assert in_words(number) == text
        seen.add(text[0].isdigit())
        amount, value = money(2, 260, rng)
        digits = "".join(each for each in amount if each.isdigit() or each == ".")
        assert float(digits) == value if digits else amount.startswith(in_words(int(value)))
        said, exact = real(-5, 5, rng)
        assert float(said) == exact
    assert seen == {True, False}
