"""JMESPath, with what it lacks for talking to order systems: tables of words, and amounts in cents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

from core.errors import InvalidInput, SystemFault

Expression = Callable[[Any], Any]

_NAMES = re.compile(r"\{(\w+)\}")


class _Functions(Functions):
    """A method named `_func_NAME` is the function NAME in an expression."""

    @signature({"types": ["object"]}, {"types": ["string", "null"]})
    def _func_lookup(self, table: Mapping[str, Any], key: str | None) -> Any:
        return None if key is None else table.get(key)

    @signature({"types": ["number", "null"]})
    def _func_from_cents(self, cents: int | None) -> Decimal | None:
        return None if cents is None else Decimal(cents).scaleb(-2)

    @signature({"types": ["string", "null"]})
    def _func_to_cents(self, amount: str | None) -> int | None:
        return None if amount is None else int(Decimal(amount).scaleb(2))


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def expression(source: str, where: str) -> Expression:
    """Compile an expression. Raises `InvalidInput` that names the setting `where` it stands.

    Applying it raises `SystemFault` when it does not suit what it is applied to.
    """
    try:
        parsed = jmespath.compile(source)
    except JMESPathError as problem:
        raise InvalidInput(f"{where} is no JMESPath: {problem}", param=where) from problem

    def apply(content: Any) -> Any:
        try:
            return parsed.search(content, options=_OPTIONS)
        except (JMESPathError, InvalidOperation) as problem:
            raise SystemFault(f"{where} does not suit the data: {problem}") from problem

    return apply


def fill(template: str, values: Mapping[str, Any], *, path: bool = False) -> str:
    """Put the values into a template. In a path they are quoted, and can be no step up or down."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if values.get(name) is None:
            raise SystemFault(f"the settings ask for {{{name}}} in {template!r}, which is not known here")
        text = str(values[name])
        if not path:
            return text
        if text in ("", ".", ".."):
            raise InvalidInput(f"{name} cannot be {text!r}", param=name)
        return quote(text, safe="")

    return _NAMES.sub(value, template)


def read_json(content: bytes) -> Any:
    """Parse JSON without ever making an amount a float. Raises ValueError."""
    return json.loads(content, parse_float=Decimal)
