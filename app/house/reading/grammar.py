"""Domains of knowledge as grammars: slots that are drawn, facts that are told in prose, and what each fact answers.

A domain is a TOML file. Its `slots` are filled in their order, each from one text or one of several; a text may use
earlier slots in braces and draws in angle brackets:

    <person> <surname> <place> <people>     a name of one of the paragraph's cultures
    <int 20 900 10>                         a number between two bounds in steps, with commas from 10,000 on
    <words 2 12>                            a number in words
    <year 1500 1900>, <year opened+3 opened+20>, <date opened>, <month>
    <of material>                           a word of a list in `words.toml`

A fact has several ways to `say` it and `asks`: lists of an answer and the wordings that ask for it. In prose `{It}`
and `{it}` stand for a reference to the subject, in wordings `{q}` for its name; `{He}`, `{he}`, `{his}` and `{him}`
agree over the whole paragraph.
"""

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.house.reading.names import Culture, cultures, listed

_MONTHS = tuple(
    "January February March April May June July August September October November December".split(),
)
_ONES = tuple(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen".split(),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DRAW = re.compile(r"<([a-z]+)((?: [\w+-]+)*)>")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?:[aeio]|un(?!i)|u(?![ns]))(?!ne\b|nce\b|u))", re.IGNORECASE)
_TRIES = 30


@dataclass(frozen=True)
class Ask:
    """One answer of a fact and the wordings that ask for it, all of them templates."""

    answer: str
    wordings: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """What is told in one or two sentences, in several ways, and what it answers."""

    say: tuple[str, ...]
    asks: tuple[Ask, ...]


@dataclass(frozen=True)
class Domain:
    """A kind of subject: how it is called and referred to, its slots, and its facts, the first of which opens."""

    name: str
    called: tuple[str, ...]
    refs: tuple[str, ...]
    slots: Mapping[str, str | list[str]]
    facts: tuple[Fact, ...]


@cache
def domains() -> tuple[Domain, ...]:
    """Read every domain beside this file, by name. Raises `KeyError` for a file that lacks a part."""
    found = [file for file in files(__package__).joinpath("domains").iterdir() if file.name.endswith(".toml")]
    return tuple(
        _domain(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
        for file in sorted(found, key=lambda file: file.name)
    )


def _domain(name: str, text: str) -> Domain:
    raw = tomllib.loads(text)
    facts = tuple(
        Fact(tuple(fact["say"]), tuple(Ask(answer, tuple(wordings)) for answer, *wordings in fact["asks"]))
        for fact in raw["facts"]
    )
    return Domain(name, tuple(raw["called"]), tuple(raw["refs"]), raw["slots"], facts)


class Filling:
    """The slots of a domain filled once: one subject with everything that is true of it."""

    def __init__(self, domain: Domain, draw: random.Random) -> None:
        self.domain = domain
        self._draw = draw
        self._cultures = draw.sample(cultures(), 2)
        self.slots = dict(zip(("He", "he", "his", "him", "His"), _gender(draw), strict=True))
        for name in domain.slots:
            self.slots[name] = self.another(name)

    def another(self, name: str) -> str:
        """Draw a value for a slot that no slot holds yet, as far as its grammar allows."""
        given = self.domain.slots[name]
        taken = [value.casefold() for value in self.slots.values() if len(value) > 1]
        value = ""
        for _ in range(_TRIES):
            text = self._draw.choice(given) if isinstance(given, list) else given
            value = self.fill(_DRAW.sub(self._drawn, text))
            if not any(holds(value.casefold(), other) or holds(other, value.casefold()) for other in taken):
                break
        return value

    def fill(self, template: str, **also: str) -> str:
        """Put slots, and `also` before them, into a template; KeyError names a slot that the domain lacks."""
        known = self.slots | also
        return articles(_SLOT.sub(lambda slot: known[slot[1]], template))

    def tell(self, fact: Fact, named: bool) -> str:
        """Say a fact in one of its ways; the subject is referred to by its name only where `named` says so."""
        refs = [self.fill(ref) for ref in self.domain.refs]
        name = self.fill(self.domain.called[0])
        ref = name if named else self._draw.choice(refs)
        text = self._draw.choice(fact.say)
        told = self.fill(text, It=ref[0].upper() + ref[1:], it=ref if ref == name else ref[0].lower() + ref[1:])
        return told[0].upper() + told[1:]

    def _drawn(self, call: re.Match[str]) -> str:
        culture = self._cultures[0] if self._draw.random() < 0.75 else self._cultures[1]
        return _DRAWS[call[1]](self, culture, call[2].split())

    def number(self, word: str) -> int:
        """Read a bound: a number, or a slot that holds one with what is added to it or taken from it."""
        base, sign, more = re.fullmatch(r"(\w+?)(?:([+-])(\d+))?", word).groups()  # type: ignore[union-attr]
        value = int(base) if base.isdigit() else int(self.slots[base].replace(",", ""))
        return value + int((sign or "+") + (more or "0"))

    def between(self, bounds: list[str]) -> int:
        """Draw a number between two bounds, in the steps that a third word may give."""
        step = int(bounds[2]) if len(bounds) > 2 else 1
        return self._draw.randrange(self.number(bounds[0]), self.number(bounds[1]) + 1, step)

    def date(self, year: list[str]) -> str:
        """Draw a day of a year."""
        return f"{self._draw.randint(1, 28)} {self._draw.choice(_MONTHS)} {self.number(year[0])}"

    def pick(self, words: tuple[str, ...]) -> str:
        """Draw one of several words."""
        return self._draw.choice(words)

    def named(self, maker: Callable[[random.Random], str]) -> str:
        """Draw a name from what makes it."""
        return maker(self._draw)


_DRAWS: dict[str, Callable[[Filling, Culture, list[str]], str]] = {
    "person": lambda filling, culture, _: filling.named(culture.person),
    "surname": lambda filling, culture, _: filling.named(culture.surname),
    "place": lambda filling, culture, _: filling.named(culture.town),
    "people": lambda filling, culture, _: filling.named(culture.folk),
    "int": lambda filling, _, bounds: grouped(filling.between(bounds)),
    "words": lambda filling, _, bounds: in_words(filling.between(bounds)),
    "year": lambda filling, _, bounds: str(filling.between(bounds)),
    "date": lambda filling, _, year: filling.date(year),
    "month": lambda filling, _culture, _words: filling.pick(_MONTHS),
    "of": lambda filling, _, name: filling.pick(listed(name[0])),
}


def holds(text: str, part: str) -> bool:
    """Whether a text contains a part at the bounds of words."""
    at = text.find(part)
    while at >= 0:
        end = at + len(part)
        if not (at and text[at - 1].isalnum()) and not text[end : end + 1].isalnum():
            return True
        at = text.find(part, at + 1)
    return False


def articles(text: str) -> str:
    """Write `an` where a slot put a vowel after `a`."""
    return _ARTICLE.sub(lambda article: f"{article[1]}n ", text)


def grouped(number: int) -> str:
    """Write a number with commas from ten thousand on, as encyclopaedias do."""
    return f"{number:,}" if number >= 10_000 else str(number)


def in_words(number: int) -> str:
    """Write a number below a hundred in words."""
    if number < len(_ONES):
        return _ONES[number]
    return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")


def _gender(draw: random.Random) -> tuple[str, ...]:
    return draw.choice((("He", "he", "his", "him", "His"), ("She", "she", "her", "her", "Her")))
