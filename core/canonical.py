"""JSON values: the one way to write each (RFC 8785), so that equal values have equal hashes, and what can be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import rfc8785

from core.errors import InvalidInput

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"


def canonical(value: JSON) -> str:
    """Write `value` by RFC 8785: no spaces, keys sorted, one spelling for each number and string.

    Raises `InvalidInput` for what JSON cannot carry between any two programs: NaN, integers beyond 2**53, lone
    surrogates, and what is no JSON at all, such as a Decimal or a date (write those as strings).
    """
    try:
        return rfc8785.dumps(value).decode()
    except rfc8785.CanonicalizationError as problem:
        raise InvalidInput(f"not JSON that every reader reads alike: {problem}") from problem


def storable(text: str) -> bool:
    """Whether every database and every reader of JSON takes the text: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
