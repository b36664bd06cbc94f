"""A request for a tool, written as one of many people may write it, with the arguments that it gives."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.house.tools.grammar import Piece, Slot, expand, tidy
from app.house.tools.sets import Argument, Tool
from app.house.tools.values import is_id, money, real, whole, word
from core.errors import InvalidInput

_SENTENCE = re.compile(r"([.!?]\s+|\n\s*)([a-z])")
_FIRST = re.compile(r"^(\W*)([a-z])")


def said(template: str, rng: random.Random) -> str:
    """A sentence of a template whose slots are word lists."""
    pieces = expand(template, rng, lambda slot: Piece(word(slot.name, rng), drawn=True))
    question, _ = _written(pieces, rng)
    return question


def ask(tool: Tool, rng: random.Random, held_out: bool) -> tuple[str, dict[str, Any], str]:
    """A request for the tool, the arguments it gives, required ones first, and the template that it was made of.

    Raises `InvalidInput` when a template gives an argument that the tool does not have.
    """
    template = rng.choice(tool.templates(held_out))
    given: dict[str, Any] = {}

    def fill(slot: Slot) -> Piece:
        if slot.name.startswith("x."):
            return Piece(word(slot.name.removeprefix("x."), rng), drawn=True)
        name, _, inner = slot.name.partition(".")
        argument = tool.arguments.get(name)
        if argument is not None and inner:
            argument = argument.inner.get(inner)
        if argument is None:
            raise InvalidInput(f"{tool.name} has no argument {slot.name}, which a template gives", param=slot.name)
        if slot.value is None:
            text, value = _draw(argument, rng)
            while argument.draw and value in given.values():  # nobody travels from Oslo to Oslo
                text, value = _draw(argument, rng)
        else:
            text, value = slot.words, _value(argument, slot.value)
        if inner:
            given.setdefault(name, {})[inner] = value
        else:
            given[name] = value
        return Piece(text, drawn=slot.value is None)

    question, lowered = _written(_framed(expand(template, rng, fill), tool, rng), rng)
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
    text = word(argument.draw, rng)
    if is_id(argument.draw):
        return (text.lower() if rng.random() < 0.12 else text), text
    if " " in text and rng.random() < 0.3:
        text = text[0].upper() + text[1:]
    return text, text


def _several(argument: Argument, rng: random.Random) -> tuple[str, list[Any]]:
    many = rng.randint(*argument.items)
    values: list[Any] = []
    while len(values) < many:
        match argument.schema["items"]["type"]:
            case "string":
                drawn: Any = word(argument.draw, rng)
            case "integer":
                drawn = rng.randint(int(argument.low), int(argument.high))
            case _:
                drawn = real(argument.low, argument.high, rng)[1]
        if drawn not in values:
            values.append(drawn)
    texts = [str(each) for each in values]
    if rng.random() < 0.4:
        return ", ".join(texts), values
    return f"{', '.join(texts[:-1])} and {texts[-1]}", values


def _lowered(value: Any, argument: Argument) -> Any:
    """The value as a message in small letters gives it. Ids and codes are known by their capitals all the same."""
    if isinstance(value, Mapping):
        return {name: _lowered(each, argument.inner[name]) for name, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each, argument) for each in value]
    if isinstance(value, str) and "enum" not in argument.schema and not value.isupper():
        return value.lower()
    return value


def _framed(pieces: list[Piece], tool: Tool, rng: random.Random) -> list[Piece]:
    """The request as it is, or with a greeting, a story or a word of thanks around it."""
    if rng.random() < 0.55:
        return pieces
    before, _, after = word("frame" if tool.domain == "company" else "frame_plain", rng).partition("@")
    if after.startswith(" ") and tidy("".join(each.text for each in pieces))[-1] not in ".?!":
        after = f".{after}"
    return [Piece(before), *pieces, Piece(after)]


def _written(pieces: Sequence[Piece], rng: random.Random) -> tuple[str, bool]:
    """The pieces as somebody writes them: with capitals or without, a full stop or none, now and then a slip. Also
    whether the whole is in small letters."""
    texts = [each.text for each in pieces]
    words = [at for at, each in enumerate(pieces) if not each.drawn]
    if rng.random() < 0.07:
        _slip(texts, words, rng)
    if rng.random() < 0.14:
        return tidy("".join(texts)).lower(), True
    for at in words:
        before = "".join(texts[:at])
        texts[at] = _SENTENCE.sub(lambda hit: hit[1] + hit[2].upper(), texts[at])
        if not before.strip() or re.search(r"([.!?]\s|\n)$", before):
            texts[at] = _FIRST.sub(lambda hit: hit[1] + hit[2].upper(), texts[at])
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
