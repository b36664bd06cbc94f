"""Writes texts out of patterns: `{name}` is any phrase of a slot, `(a|b|)` any alternative, either of `[.,]` a mark."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import InvalidInput

_SLOT = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\(([^()]*)\)")
_MARK = re.compile(r"\[([^\[\]]+)\]\??")
_SPACES = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.?!])")
_DEPTH = 20


class Patterns:
    """Patterns with their slots. Equal seeds give equal texts."""

    def __init__(self, patterns: Mapping[str, Sequence[str]], slots: Mapping[str, Sequence[str]]) -> None:
        """Raises `InvalidInput` for a slot that does not exist, or that holds itself."""
        self._patterns, self._slots = patterns, slots
        for pattern in (each for group in (*patterns.values(), *slots.values()) for each in group):
            if strange := set(_SLOT.findall(pattern)) - slots.keys():
                raise InvalidInput(f"no slot {', '.join(sorted(strange))}, which {pattern!r} uses", param="patterns")
        for name in slots:
            self._refuse_circle(name, ())

    @classmethod
    def read(cls, path: Path) -> Patterns:
        """Read a TOML file of the tables `slots` and `patterns`, each of lists. Raises `InvalidInput` naming it."""
        try:
            read = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(read["patterns"], read["slots"])
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
            raise InvalidInput(f"{path} holds no patterns: {problem}", param="patterns") from problem

    def write(self, each: int, *, seed: int) -> list[str]:
        """As many texts of every pattern as differ, of `each` drawn, in the patterns' order."""
        drawing = random.Random(seed)  # noqa: S311  (no secret: texts to learn from)
        texts: dict[str, None] = {}
        for pattern in (each_ for group in self._patterns.values() for each_ in group):
            for _ in range(each):
                texts[self._text(pattern, drawing)] = None
        return [text for text in texts if text]

    def _text(self, pattern: str, drawing: random.Random) -> str:
        text = pattern
        while _SLOT.search(text) or _CHOICE.search(text):
            text = _SLOT.sub(lambda match: drawing.choice(self._slots[match.group(1)]), text, count=1)
            # Innermost first: an alternative may hold a slot, whose phrase holds none of the brackets.
            text = _CHOICE.sub(lambda match: drawing.choice(match.group(1).split("|")), text, count=1)
        text = _MARK.sub(lambda match: drawing.choice(match.group(1)), text)
        return _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()

    def _refuse_circle(self, name: str, above: tuple[str, ...]) -> None:
        if name in above or len(above) > _DEPTH:
            raise InvalidInput(f"the slot {name} holds itself", param="patterns")
        for phrase in self._slots[name]:
            for inner in _SLOT.findall(phrase):
                self._refuse_circle(inner, (*above, name))
