"""Translates a function's description, whose types are Python's words, to a tool with a JSON schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from evals.bfcl.questions import Json

# JSON schema's own words stand for themselves, so that a file may use them too.
_TYPES = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "tuple": "array",
    "dict": "object",
    "object": "object",
}
_KEPT = ("description", "enum", "default", "minItems", "maxItems")
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class Tool:
    """A function as engines are told of it. `lost` says what the schema cannot say, in words."""

    original: str
    definition: Json
    lost: frozenset[str]

    @property
    def name(self) -> str:
        """The name that the engine knows: the protocol allows no dots."""
        return str(self.definition["function"]["name"])

    @property
    def parameters(self) -> Json:
        """The JSON schema of the arguments."""
        schema: Json = self.definition["function"]["parameters"]
        return schema


def translate(function: Mapping[str, Any]) -> Tool:
    """The function as a tool. Raises `InvalidInput` for a type that is none of Python's plain ones."""
    lost: set[str] = set()
    name = _NOT_A_NAME.sub("_", function["name"])
    parameters = _schema(function["parameters"], function["name"], lost)
    described = {"name": name, "description": function.get("description") or "", "parameters": parameters}
    return Tool(function["name"], {"type": "function", "function": described}, frozenset(lost))


def _schema(given: Mapping[str, Any], place: str, lost: set[str]) -> Json:
    schema: Json = {field: given[field] for field in _KEPT if field in given}
    match given.get("type"):
        case "any":
            lost.add("any: the value is left open")
            return schema
        case "tuple":
            lost.add("tuple: written as an array of any length")
        case word if word not in _TYPES:
            raise InvalidInput(f"{place}: the type {word!r} has no counterpart in JSON schema", param="data")
    schema["type"] = _TYPES[given["type"]]
    if "optional" in given:
        lost.add("optional: dropped, the list of required parameters says it")
    if schema["type"] == "object":
        if "properties" not in given:
            lost.add("dict without properties: written as any object")
            return schema
        schema["properties"] = {
            name: _schema(each, f"{place}.{name}", lost) for name, each in given["properties"].items()
        }
        schema["required"] = [name for name in given.get("required", ()) if name in schema["properties"]]
    if isinstance(given.get("items"), Mapping):
        schema["items"] = _schema(given["items"], f"{place}[]", lost)
    return schema
