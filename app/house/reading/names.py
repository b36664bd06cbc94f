"""Names of people, places and peoples that exist nowhere, so that no answer can be known beforehand."""

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Culture:
    """The syllables from which one culture makes its names."""

    start: tuple[str, ...]
    middle: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    place: tuple[str, ...]
    people: tuple[str, ...]

    def person(self, draw: random.Random) -> str:
        """Draw a full name, given name first unless the culture writes the family first."""
        if self.given[0].startswith(" "):
            return draw.choice(self.start) + draw.choice(self.given)
        return f"{self._stem(draw, self.given)} {self._stem(draw, self.family)}"

    def surname(self, draw: random.Random) -> str:
        """Draw a family name."""
        return self._stem(draw, self.family)

    def town(self, draw: random.Random) -> str:
        """Draw the name of a place."""
        return self._stem(draw, self.place)

    def folk(self, draw: random.Random) -> str:
        """Draw the name of a people, in the plural."""
        return self._stem(draw, self.people)

    def _stem(self, draw: random.Random, ends: tuple[str, ...]) -> str:
        return draw.choice(self.start) + draw.choice(self.middle) + draw.choice(ends)


@cache
def cultures() -> tuple[Culture, ...]:
    """Give every culture of `words.toml`, in its order."""
    kept: dict[str, dict[str, list[str]]] = _words()["cultures"]
    return tuple(Culture(**{key: tuple(made) for key, made in one.items()}) for one in kept.values())


@cache
def listed(name: str) -> tuple[str, ...]:
    """Give a list of `words.toml`; KeyError for one that it lacks."""
    return tuple(_words()["lists"][name])


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
