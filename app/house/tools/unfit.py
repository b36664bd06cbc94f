"""What no tool does: small talk with its reply, and requests that are refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from app.house.tools.sets import split

REFUSAL = "None of my tools can do that."


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests that no tool does, unless one of the domains `near` is offered."""

    near: frozenset[str]
    training: tuple[str, ...]
    held_out: tuple[str, ...]

    def templates(self, held_out: bool) -> tuple[str, ...]:
        """The templates of one side of the split."""
        return self.held_out if held_out else self.training


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((files("app.house.tools") / "unfit.toml").read_text("utf-8"))


@cache
def requests() -> tuple[Requests, ...]:
    """The groups of requests that no tool does."""
    groups = []
    for row in _file()["requests"]:
        training, kept = split(row["templates"])
        groups.append(Requests(frozenset(row["near"]), training, kept))
    return tuple(groups)


@cache
def small_talk(held_out: bool) -> tuple[tuple[str, str], ...]:
    """Templates of one side of the split, each with the reply that it gets."""
    pairs: list[tuple[str, str]] = []
    for row in _file()["greetings"]:
        sides = split(row["templates"])
        pairs += [(template, row["reply"]) for template in sides[held_out]]
    return tuple(pairs)
