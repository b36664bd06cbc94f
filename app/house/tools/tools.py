"""Rows that teach a small model to choose one tool and its arguments, or to say that none fits."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from app.house.tools.grammar import Piece, Slot, expand, tidy
from app.house.tools.sets import Argument, Json, Offer, Tool, company, foreign, offer, split
from app.house.tools.values import is_id, money, real, whole, word
from core.errors import InvalidInput

REFUSAL = "None of my tools can do that."

# How often nothing fits: in a set without a tool that takes any request, in one with such a tool, where only
# greetings are left, and among tools of other domains.
_UNFIT_PLAIN, _UNFIT_GENERIC, _UNFIT_FOREIGN = 0.37, 0.08, 0.33

_SENTENCE = re.compile(r"([.!?]\s+|\n\s*)([a-z])")


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A question, the tools offered as OpenAI function definitions, and the right answer: the call of one with its
    arguments, required ones first, or `reply`, words where nothing fits. `template` is what the question was made of.
    """

    question: str
    tools: tuple[Json, ...]
    call: tuple[str, Json] | None
    reply: str
    template: str


def rows(seed: int, count: int, held_out: bool = False) -> Iterator[ToolRow]:
    """`count` rows, the same ones for the same seed; eight to fourteen in a row share their tools.

    Held-out rows are made of templates that no training row uses.
    """
    rng = random.Random(f"tools {seed} {held_out}")  # noqa: S311 - nothing here is secret
    left = count
    while left > 0:
        offered = offer(rng)
        for _ in range(min(left, offered.questions)):
            yield _row(offered, rng, held_out)
        left -= offered.questions


def _row(offered: Offer, rng: random.Random, held_out: bool) -> ToolRow:
    unfit = _UNFIT_FOREIGN if offered.foreign else _UNFIT_GENERIC if offered.generic else _UNFIT_PLAIN
    askable = [each for each in offered.tools if each.templates(held_out)]
    if not askable or rng.random() < unfit:
        return _refused(offered, rng, held_out)
    tool = rng.choice(askable)
    question, arguments, template = _ask(tool, rng, held_out)
    return ToolRow(question, offered.definitions, (offered.name_of(tool), arguments), "", template)


def _refused(offered: Offer, rng: random.Random, held_out: bool) -> ToolRow:
    chance = rng.random()
    if offered.generic or chance < 0.12:
        template, reply = rng.choice(_side(greetings(), held_out))
        return ToolRow(_said(template, rng), offered.definitions, None, reply, template)
    if chance < (0.7 if offered.foreign else 0.62):
        near = [each for each in foreign() if _absent(each, offered, held_out)] if offered.foreign else []
        every = [each for each in (*company(), *company(), *foreign()) if _absent(each, offered, held_out)]
        wanted = rng.choice(near if near and rng.random() < 0.7 else every)
        question, _, template = _ask(wanted, rng, held_out)
    else:
        domains = {each.domain for each in offered.tools}
        group = rng.choice([each for each in unfit() if not domains & each.near])
        template = rng.choice(group.held_out if held_out else group.training)
        question = _said(template, rng)
    return ToolRow(question, offered.definitions, None, REFUSAL, template)


def _absent(tool: Tool, offered: Offer, held_out: bool) -> bool:
    return bool(tool.templates(held_out)) and not any(each.would_do(tool) for each in offered.tools)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Requests that no tool does, unless one of the domains `near` is offered."""

    near: frozenset[str]
    training: tuple[str, ...]
    held_out: tuple[str, ...]


@cache
def _unfit_file() -> dict[str, Any]:
    return tomllib.loads((files("app.house.tools") / "unfit.toml").read_text("utf-8"))


@cache
def unfit() -> tuple[Unfit, ...]:
    """The groups of requests that no tool does; one that has more templates is met more often."""
    groups, seen = [], 0
    for row in _unfit_file()["requests"]:
        training, kept = split(row["templates"], seen)
        seen += len(row["templates"])
        groups.append(Unfit(frozenset(row.get("near", ())), training, kept))
    return tuple(each for each in groups for _ in each.training if each.held_out)


@cache
def greetings() -> tuple[tuple[str, str], ...]:
    """Small talk with the reply it gets."""
    return tuple((template, row["reply"]) for row in _unfit_file()["greetings"] for template in row["templates"])


def _side(pairs: Sequence[tuple[str, str]], held_out: bool) -> list[tuple[str, str]]:
    training, kept = split([template for template, _ in pairs])
    wanted = frozenset(kept if held_out else training)
    return [each for each in pairs if each[0] in wanted]


def _said(template: str, rng: random.Random) -> str:
    pieces = expand(template, rng, lambda slot: Piece(word(slot.name, rng), drawn=True))
    question, _ = _written(pieces, rng)
    return question


def _ask(tool: Tool, rng: random.Random, held_out: bool) -> tuple[str, dict[str, Any], str]:
    """A request for the tool, the arguments it gives in the order of the schema, and the template it was made of."""
    template = rng.choice(tool.templates(held_out))
    given: dict[str, Any] = {}

    def fill(slot: Slot) -> Piece:
        if slot.name.startswith("x."):
            return Piece(word(slot.name[2:], rng), drawn=True)
        name, _, inner = slot.name.partition(".")
        argument = tool.arguments.get(name)
        if argument is not None and inner:
            argument = argument.inner.get(inner)
        if argument is None:
            raise InvalidInput(f"{tool.name} has no argument {slot.name}, which a template gives", param=slot.name)
        if slot.value is not None:
            said, value = slot.words, _value(argument, slot.value)
        else:
            said, value = _draw(argument, rng)
            while argument.draw and value in given.values():  # from Oslo to Oslo
                said, value = _draw(argument, rng)
        if inner:
            given.setdefault(name, {})[inner] = value
        else:
            given[name] = value
        return Piece(said, drawn=slot.value is None)

    pieces = expand(template, rng, fill)
    framed = _framed(pieces, tool, rng)
    question, lowered = _written(framed, rng)
    if lowered:
        given = {name: _lowered(value, tool.arguments[name]) for name, value in given.items()}
    order = sorted(tool.arguments.values(), key=lambda each: not each.required)
    return question, {each.name: given[each.name] for each in order if each.name in given}, template


def _value(argument: Argument, text: str) -> Any:
    match argument.schema["type"]:
        case "integer":
            return int(text)
        case "number":
            return float(text) if "." in text else int(text)
        case "boolean":
            return text == "true"
    return text


def _draw(argument: Argument, rng: random.Random) -> tuple[str, Any]:
    """What is said for the argument, and the value it means."""
    match argument.schema["type"]:
        case "integer":
            return whole(int(argument.low), int(argument.high), rng)
        case "number" if argument.draw == "money":
            return money(int(argument.low), int(argument.high), rng)
        case "number":
            return real(argument.low, argument.high, rng)
        case "array":
            return _several(argument, rng)
    if "enum" in argument.schema:
        value = rng.choice(argument.schema["enum"])
        return rng.choice(argument.said.get(value, (value,))), value
    said = word(argument.draw, rng)
    if is_id(argument.draw):
        return (said.lower() if rng.random() < 0.12 else said), said
    return said, said


def _several(argument: Argument, rng: random.Random) -> tuple[str, list[Any]]:
    many = rng.randint(*argument.items)
    if argument.schema["items"]["type"] == "string":
        values: list[Any] = []
        while len(values) < many:
            if (drawn := word(argument.draw, rng)) not in values:
                values.append(drawn)
    elif argument.schema["items"]["type"] == "integer":
        values = [rng.randint(int(argument.low), int(argument.high)) for _ in range(many)]
    else:
        values = [real(argument.low, argument.high, rng)[1] for _ in range(many)]
    texts = [str(each) for each in values]
    if rng.random() < 0.4:
        return ", ".join(texts), values
    return f"{', '.join(texts[:-1])} and {texts[-1]}", values


def _lowered(value: Any, argument: Argument) -> Any:
    if isinstance(value, Mapping):
        return {name: _lowered(each, argument) for name, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each, argument) for each in value]
    if isinstance(value, str) and not is_id(argument.draw) and "enum" not in argument.schema:
        return value.lower()
    return value


def _framed(pieces: list[Piece], tool: Tool, rng: random.Random) -> list[Piece]:
    """The request as it is, or with a greeting, a story or a word of thanks around it."""
    if rng.random() < 0.55:
        return pieces
    kind = "frame" if tool.domain == "company" else "frame_plain"
    before, _, after = word(kind, rng).partition("@")
    if after.startswith(" ") and tidy("".join(each.text for each in pieces))[-1].isalnum():
        after = f".{after}"
    return [Piece(before), *pieces, Piece(after)]


def _written(pieces: Sequence[Piece], rng: random.Random) -> tuple[str, bool]:
    """The pieces as somebody writes them: with capitals or without, a full stop or none, now and then a slip. Also
    whether the whole is in small letters."""
    texts = [each.text for each in pieces]
    if rng.random() < 0.07:
        _slip(texts, [at for at, each in enumerate(pieces) if not each.drawn], rng)
    if rng.random() < 0.14:
        return tidy("".join(texts)).lower(), True
    for at, piece in enumerate(pieces):
        before = "".join(texts[:at])
        if not piece.drawn:
            texts[at] = _SENTENCE.sub(lambda hit: hit[1] + hit[2].upper(), texts[at])
            if not before.strip() or re.search(r"([.!?]\s|\n)$", before):
                texts[at] = re.sub(r"^(\W*)([a-z])", lambda hit: hit[1] + hit[2].upper(), texts[at])
    text = tidy("".join(texts))
    if text[-1].isalnum() and "\n" not in text and rng.random() < 0.55:
        text += "."
    return text, False


def _slip(texts: list[str], places: Sequence[int], rng: random.Random) -> None:
    """Swap or lose a letter of one of the template's longer words."""
    words = [(at, hit) for at in places for hit in re.finditer(r"[a-z]{5,}", texts[at])]
    if not words:
        return
    at, hit = rng.choice(words)
    place = hit.start() + rng.randint(1, len(hit[0]) - 3)
    letters = texts[at]
    swapped = letters[place + 1] + letters[place] if rng.random() < 0.5 else letters[place]
    texts[at] = letters[:place] + swapped + letters[place + 2 :]
