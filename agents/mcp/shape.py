"""What another server's tool is called with: a JSON schema that is its own, and was written by a stranger."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from core.canonical import JSON, storable
from core.errors import InvalidInput, SystemFault

_LONGEST_SCHEMA = 50_000
_LONGEST_REASON = 300
# A pattern is a stranger's too: it gets so many steps for one string, and then the string does not fit.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


@dataclass(frozen=True, slots=True)
class Values:
    """Arguments that fit their schema, as they were given."""

    values: Mapping[str, JSON]

    def canonical(self) -> dict[str, JSON]:
        """See `Checked.canonical`."""
        return dict(self.values)


class SchemaShape:
    """See `agents.tools.tool.Shape`. References to anything outside of the schema are never followed."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Raise `SystemFault` when this is no schema of an object."""
        if schema.get("type") != "object":
            raise SystemFault("its arguments are no object")
        self._schema: dict[str, Any] = {"properties": {}, **schema}
        try:
            if len(str(schema)) > _LONGEST_SCHEMA:
                raise SystemFault(f"its schema is longer than {_LONGEST_SCHEMA} characters")
            self._validator = jsonschema_rs.validator_for(self._schema, offline=True, pattern_options=_PATTERNS)
        except jsonschema_rs.ValidationError as problem:
            raise SystemFault(f"its schema cannot be read: {problem.message[:_LONGEST_REASON]}") from None
        except (jsonschema_rs.ReferencingError, ValueError, RecursionError) as problem:
            raise SystemFault(f"its schema cannot be read: {str(problem)[:_LONGEST_REASON]}") from None

    def model_json_schema(self) -> dict[str, Any]:
        """See `Shape.model_json_schema`."""
        return copy.deepcopy(self._schema)

    def read(self, arguments: Mapping[str, Any]) -> Values:
        """See `Shape.read`."""
        values = dict(arguments)
        try:
            wrong = next(self._validator.iter_errors(values), None)
        except ValueError as problem:
            raise InvalidInput(f"arguments: {problem}") from None
        if wrong is not None:
            param = ".".join(map(str, _place(wrong)))
            raise InvalidInput(f"{param or 'arguments'}: {wrong.message[:_LONGEST_REASON]}", param=param or None)
        check_storable(values)
        return Values(values)


def _place(wrong: jsonschema_rs.ValidationError) -> list[str | int]:
    """Where the wrong argument stands, or would stand if it were there."""
    kind = wrong.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [*wrong.instance_path, kind.property]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [*wrong.instance_path, *kind.unexpected[:1]]
    return wrong.instance_path


def check_storable(value: Any, path: str = "") -> None:
    """Raise `InvalidInput` for a text that no database can store, which names where it stands."""
    if isinstance(value, str) and not storable(value):
        raise InvalidInput(f"{path or 'arguments'}: holds a character that cannot be stored", param=path or None)
    if isinstance(value, Mapping):
        for name, each in value.items():
            check_storable(name, path)
            check_storable(each, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            check_storable(each, f"{path}.{index}" if path else str(index))
