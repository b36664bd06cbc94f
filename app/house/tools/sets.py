"""The tools that are offered: read from the files beside this one, described in one of many ways, put into sets."""

from __future__ import annotations

import random
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from core.errors import InvalidInput

Json = Mapping[str, Any]

# One template in so many is kept for the held-out rows.
HELD_OUT = 8
_PER_SET = (8, 14)


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its JSON schema, how it may be described, and where its values come from."""

    name: str
    schema: Json
    about: tuple[str, ...] = ()
    required: bool = True
    draw: str = ""
    low: float = 1
    high: float = 10
    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    items: tuple[int, int] = (2, 5)
    inner: Mapping[str, Argument] = field(default_factory=dict)
    limits: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool and the templates of requests for it. `alike` names tools that would do for its requests too."""

    name: str
    domain: str
    about: tuple[str, ...]
    arguments: Mapping[str, Argument]
    training: tuple[str, ...]
    held_out: tuple[str, ...]
    alike: frozenset[str] = frozenset()
    generic: bool = False

    def templates(self, held_out: bool) -> tuple[str, ...]:
        """The templates of one side of the split."""
        return self.held_out if held_out else self.training

    def would_do(self, other: Tool) -> bool:
        """Whether this tool would do for a request that is meant for the other one."""
        return self.name == other.name or self.name in other.alike or self.generic


def split(templates: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The templates for training and those held out. A template's side depends on its own text alone, so that adding
    another moves none across."""
    kept = {each for each in templates if zlib.crc32(each.encode()) % HELD_OUT == 0}
    return tuple(each for each in templates if each not in kept), tuple(each for each in templates if each in kept)


@cache
def company() -> tuple[Tool, ...]:
    """The company's own tools."""
    return _read(files("app.house.tools") / "company.toml", "company")


@cache
def foreign() -> tuple[Tool, ...]:
    """Tools of other domains, which the company does not have."""
    folder = files("app.house.tools") / "foreign"
    names = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return tuple(tool for name in names for tool in _read(folder / name, name.removesuffix(".toml")))


def _read(path: Any, domain: str) -> tuple[Tool, ...]:
    tools = []
    for row in tomllib.loads(path.read_text("utf-8"))["tools"]:
        training, kept = split(row["templates"])
        arguments = {name: _argument(name, given) for name, given in row.get("arguments", {}).items()}
        alike, about = frozenset(row.get("alike", ())), tuple(row["about"])
        tools.append(Tool(row["name"], domain, about, arguments, training, kept, alike, row.get("generic", False)))
    return tuple(tools)


def _argument(name: str, given: Mapping[str, Any]) -> Argument:
    schema = {key: given[key] for key in ("type", "enum", "default", "items") if key in given}
    inner = {each: _argument(each, value) for each, value in given.get("properties", {}).items()}
    if inner:
        schema["properties"] = {each: dict(value.schema) for each, value in inner.items()}
        schema["required"] = list(inner)
    low, high = given.get("range", (1, 10))
    if "type" not in schema:
        raise InvalidInput(f"{name} has no type", param=name)
    return Argument(
        name,
        schema,
        tuple(given.get("about", ())),
        given.get("required", True),
        given.get("draw", ""),
        low,
        high,
        given.get("said", {}),
        tuple(given.get("count", (2, 5))),
        inner,
        given.get("limits", {}),
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools that are offered together, and how many questions are asked of them. `definitions` are as a client sends
    them, under names that may be written in another way than the tools' own."""

    tools: tuple[Tool, ...]
    definitions: tuple[Json, ...]
    questions: int

    def name_of(self, tool: Tool) -> str:
        """The name under which the tool is offered."""
        return str(self.definitions[self.tools.index(tool)]["name"])

    @property
    def generic(self) -> bool:
        """Whether some tool takes any request."""
        return any(each.generic for each in self.tools)

    @property
    def foreign(self) -> bool:
        """Whether no tool is the company's."""
        return all(each.domain != "company" for each in self.tools)


def offer(rng: random.Random, foreign_share: float = 0.3) -> Offer:
    """Draw a set of tools in random order, described in one of their ways."""
    tools = _foreign_set(rng) if rng.random() < foreign_share else _company_set(rng)
    bare, limited = rng.random() < 0.12, rng.random() < 0.3
    definitions = tuple(_definition(each, rng, bare, limited) for each in tools)
    return Offer(tuple(tools), definitions, rng.randint(*_PER_SET))


def _company_set(rng: random.Random) -> list[Tool]:
    every = list(company())
    chance = rng.random()
    if chance < 0.06:
        return rng.sample(every, len(every))
    # Most sets have no tool that takes any request, or there would be nothing to refuse.
    among = [each for each in every if not each.generic] if chance < 0.66 else every
    return rng.sample(among, rng.choice((2, 3, 3, 4, 4, 5, 5, 6, 7, 8)))


def _foreign_set(rng: random.Random) -> list[Tool]:
    first = rng.choice(foreign())
    near = [each for each in foreign() if each.domain == first.domain and each != first]
    far = [each for each in foreign() if each.domain != first.domain]
    tools = [first]
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
        pool = near if near and (not far or rng.random() < 0.65) else far
        if not pool:
            break
        tools.append(pool.pop(rng.randrange(len(pool))))
    rng.shuffle(tools)
    return tools


def _definition(tool: Tool, rng: random.Random, bare: bool, limited: bool) -> Json:
    properties = {}
    for name, argument in tool.arguments.items():
        words = {} if bare or not argument.about else {"description": rng.choice(argument.about)}
        limits = argument.limits if limited else {}
        properties[name] = {**argument.schema, **limits, **words}
    required = [name for name, argument in tool.arguments.items() if argument.required]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"name": _name(tool, rng), "description": rng.choice(tool.about), "parameters": parameters}


def _name(tool: Tool, rng: random.Random) -> str:
    """The company's names are contract; those of other domains are written in the ways that are met."""
    way = rng.random()
    if tool.domain == "company" or way < 0.6:
        return tool.name
    if way < 0.8:
        return f"{tool.domain}{rng.choice('._')}{tool.name}"
    first, *rest = tool.name.split("_")
    return first + "".join(each.capitalize() for each in rest)
