"""Values for arguments: what is said in a request, and what the call then holds."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from app.house.tools.grammar import Piece, expand, tidy
from core.errors import InvalidInput

Json = Mapping[str, Any]

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_DOZENS = {6: "half a dozen", 12: "a dozen", 24: "two dozen", 36: "three dozen", 48: "four dozen"}


@cache
def lists() -> Mapping[str, tuple[str, ...]]:
    """The word lists, each by its name; entries are templates over the other lists."""
    return {name: tuple(each) for name, each in _file()["words"].items()}


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((files("app.house.tools") / "values.toml").read_text("utf-8"))


def word(name: str, rng: random.Random) -> str:
    """One entry of a list, one id of a kind, or for `n` a whole number. Raises `InvalidInput` when there is no such
    list."""
    if name == "n":
        return str(rng.randint(2, 60))
    if (pattern := _file()["ids"].get(name)) is not None:
        return "".join(str(rng.randrange(10)) if each == "#" else each for each in pattern)
    try:
        template = rng.choice(lists()[name])
    except KeyError:
        raise InvalidInput(f"no words called {name}", param=name) from None
    return tidy("".join(each.text for each in expand(template, rng, lambda slot: Piece(word(slot.name, rng)))))


def is_id(name: str) -> bool:
    """Whether values of that name are ids, which are upper case in a call however they are written."""
    return name in _file()["ids"]


def in_words(number: int) -> str:
    """A whole number below a thousand in words."""
    if number < 20:
        return _UNITS[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")
    hundreds, rest = divmod(number, 100)
    return f"{_UNITS[hundreds]} hundred" + (f" and {in_words(rest)}" if rest else "")


def whole(low: int, high: int, rng: random.Random) -> tuple[str, int]:
    """A whole number as it is said, mostly in figures, and itself; small and round ones are the most frequent."""
    number = rng.randint(low, high)
    if high - low > 100 and rng.random() < 0.6:
        number = max(low, min(high, rng.choice((rng.randint(low, low + 60), round(number, -1), round(number, -2)))))
    chance = rng.random()
    if number in _DOZENS and chance < 0.35:
        return _DOZENS[number], number
    if chance < 0.25 and 0 <= number <= 100:
        return in_words(number), number
    if number >= 1000 and chance < 0.3:
        return f"{number:,}", number
    return str(number), number


def money(low: int, high: int, rng: random.Random) -> tuple[str, int | float]:
    """An amount as it is said, with a currency or without, and itself."""
    amount = rng.randint(low, high)
    form = rng.random()
    if form < 0.12 and amount < 1000:
        return f"{in_words(amount)} {rng.choice(('euros', 'pounds', 'dollars', 'euro'))}", amount
    cents = rng.choice((0, 0, 50, 90, 95, 99, rng.randrange(100)))
    value: int | float = round(amount + cents / 100, 2) if cents else amount
    written = f"{amount}.{cents:02d}" if cents or rng.random() < 0.3 else str(amount)
    if form < 0.35:
        return rng.choice(("€", "£", "$", "EUR ")) + written, value
    if form < 0.55:
        return f"{written} {rng.choice(('euros', 'pounds', 'EUR', 'dollars', 'GBP'))}", value
    return written, value


def real(low: float, high: float, rng: random.Random) -> tuple[str, int | float]:
    """A number that need not be whole as it is said, to at most two places, and itself."""
    places = rng.choice((0, 0, 1, 1, 2))
    value = round(rng.uniform(low, high), places)
    number: int | float = int(value) if value == int(value) else value
    return str(number), number
