"""Sentences out of templates, each alternative and value drawn from one seeded source.

`{a|b|}` is one of its alternatives, which may nest and be empty; `<name>` is a value drawn for that name;
`<name=value:words>` are words that give the name that value. Spaces that alternatives leave over are taken out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from core.errors import InvalidInput

_PART = re.compile(r"[{|}]|<[^<>]*>|[^{|}<>]+|[<>]")
_SLOT = re.compile(r"<(?P<name>[a-z_.0-9]+)(?:=(?P<value>[^:<>]*):(?P<words>[^<>]*))?>")

_ARTICLE = re.compile(r"(^|\W)[Aa] +$")
_VOWEL = re.compile(r"[aeio](?!ne\b)|u(?![ns]i|se)")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value. Where the template gives the value itself, `words` are what stands there."""

    name: str
    value: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences."""

    options: tuple[tuple[Node, ...], ...]


Node: TypeAlias = "str | Slot | Choice"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the sentence; `drawn` tells a value, which is kept letter by letter, from the template's words."""

    text: str
    drawn: bool = False


@cache
def parse(template: str) -> tuple[Node, ...]:
    """The template as a tree. Raises `InvalidInput` when its braces or slots are not whole."""
    parts = _PART.findall(template)
    nodes, rest = _sequence(parts, 0, template)
    if rest < len(parts):
        raise InvalidInput(f"a brace closes what none opened: {template!r}", param="template")
    return nodes


def _sequence(parts: Sequence[str], at: int, template: str, nested: bool = False) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while at < len(parts) and parts[at] != "}" and not (nested and parts[at] == "|"):
        part = parts[at]
        at += 1
        if part == "{":
            choice, at = _choice(parts, at, template)
            nodes.append(choice)
        elif part in "<>|":
            raise InvalidInput(f"a lone {part} in {template!r}", param="template")
        elif slot := _SLOT.fullmatch(part):
            nodes.append(Slot(slot["name"], slot["value"], slot["words"] or ""))
        elif part.startswith("<"):
            raise InvalidInput(f"{part} in {template!r} is no slot", param="template")
        else:
            nodes.append(part)
    return tuple(nodes), at


def _choice(parts: Sequence[str], at: int, template: str) -> tuple[Choice, int]:
    options: list[tuple[Node, ...]] = []
    while True:
        option, at = _sequence(parts, at, template, nested=True)
        options.append(option)
        if at == len(parts):
            raise InvalidInput(f"a brace is not closed in {template!r}", param="template")
        at += 1
        if parts[at - 1] == "}":
            return Choice(tuple(options)), at


def slots(nodes: Sequence[Node]) -> Iterator[Slot]:
    """Every slot of a template, those of all its alternatives."""
    for node in nodes:
        if isinstance(node, Slot):
            yield node
        elif isinstance(node, Choice):
            for option in node.options:
                yield from slots(option)


def expand(template: str, rng: random.Random, fill: Callable[[Slot], Piece]) -> list[Piece]:
    """One sentence of the template in pieces; `fill` says what stands in a slot."""

    def walk(nodes: Sequence[Node]) -> Iterator[Piece]:
        for node in nodes:
            match node:
                case str():
                    yield Piece(node)
                case Slot():
                    yield fill(node)
                case Choice():
                    yield from walk(rng.choice(node.options))

    pieces = [each for each in walk(parse(template)) if each.text]
    followed = zip(pieces, [each.text for each in pieces[1:]] + [""], strict=True)
    return [each if each.drawn else Piece(article(each.text, after)) for each, after in followed]


def tidy(text: str) -> str:
    """The text without the spaces that empty alternatives leave."""
    text = re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text))
    return re.sub(r" +([,.;:?!])", r"\1", text).strip()


def article(before: str, after: str) -> str:
    """The words `before` with an "an" at their end where those `after` ask for it."""
    return f"{before.rstrip()}n " if _VOWEL.match(after) and _ARTICLE.search(before) else before
