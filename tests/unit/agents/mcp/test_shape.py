"""Arguments by a stranger's schema: what fits, what does not and where, and schemas that are none."""

from __future__ import annotations

from typing import Any

import pytest

from agents.mcp.shape import SchemaShape
from core.errors import InvalidInput, SystemFault

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^(?=a)(a+)+$"},
        "size": {"type": "integer", "minimum": 1},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "note": {"type": ["string", "null"]},
        "tree": {"$ref": "#/$defs/tree"},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}},
}


def test_what_fits_is_kept_as_it_was_given() -> None:
    shape = SchemaShape(SCHEMA)
    given = {"name": "aa", "size": 2, "note": None, "tree": {"left": {"left": {}}}}
    # An explicit null is the other server's to understand.
    assert shape.read(given).canonical() == given
    assert shape.model_json_schema() == SCHEMA
    assert SchemaShape({"type": "object"}).model_json_schema() == {"type": "object", "properties": {}}


def test_the_schema_that_is_given_away_is_a_copy() -> None:
    shape = SchemaShape(SCHEMA)
    shape.model_json_schema()["properties"].clear()
    assert shape.model_json_schema() == SCHEMA


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": "aa", "size": 0}, "size"),
        ({"name": "aa", "parts": [{"sku": 1}]}, "parts.0.sku"),
        ({"name": "aa", "colour": "red"}, "colour"),
        ({"name": "aa", "note": "\0"}, "note"),
        ({"name": "a" * 60 + "!"}, "name"),
        ({"name": "aa", "tree": {"\0": 1}}, "tree"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SchemaShape(SCHEMA).read(given)
    assert (refused.value.param, refused.value.message.split(":")[0]) == (param, param)


def test_a_text_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput):
        SchemaShape({"type": "object"}).read({"x": ["\ud800"]})


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "properties": {"a": {"pattern": "(("}}},
        {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
        {"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}},
        {"type": "object", "description": "x" * 60_000},
        _deep(3000),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_fault(schema: dict[str, Any]) -> None:
    with pytest.raises(SystemFault):
        SchemaShape(schema)
