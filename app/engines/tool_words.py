"""Tools in words, for a system message: a line for the tool, and one for each argument.

::

    check_stock: Show how many pieces of a product are in the warehouse.
      sku (text): Such as SKU-0137.
      month (may|june, optional)

The company's seventeen tools take 791 tokens this way, 1,352 as JSON schemas. What is left out, such as a pattern or a
range, the grammar of the reply holds all the same. The recipe `finetune/recipes/house.yaml` teaches this form: a change
of it takes another adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true|false", "null": "null"}


def described(name: str, description: str, schema: Mapping[str, Any]) -> list[str]:
    """The lines for one tool. `schema` is the JSON schema of its arguments, free of references."""
    required = frozenset(schema.get("required") or ())
    lines = [f"{name}: {_line(description)}" if description else name]
    for argument, its in (schema.get("properties") or {}).items():
        kind = _type(its) + ("" if argument in required else ", optional")
        told = _line(its.get("description") or "")
        lines.append(f"  {argument} ({kind})" + (f": {told}" if told else ""))
    return lines


def _type(schema: Any) -> str:
    """The type in words."""
    if not isinstance(schema, Mapping):
        return "any"
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    choices: Sequence[Any] = schema.get("anyOf") or schema.get("oneOf") or ()
    if choices:
        # That nothing may be given is what `optional` says.
        kinds = [_type(each) for each in choices if each != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds)) or "null"
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items'))}"
        case "object":
            return _fields(schema)
        case [*kinds]:
            return " or ".join(_TYPES.get(str(each), str(each)) for each in kinds if each != "null")
        case str(kind):
            return _TYPES.get(kind, kind)
    return "any"


def _fields(schema: Mapping[str, Any]) -> str:
    required = frozenset(schema.get("required") or ())
    fields = (
        f"{name}{'' if name in required else '?'}: {_type(each)}"
        for name, each in (schema.get("properties") or {}).items()
    )
    return "{" + ", ".join(fields) + "}"


def _line(text: str) -> str:
    return " ".join(text.split())
