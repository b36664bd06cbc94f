"""What text, amounts and numbers must be like before any system is asked."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from typing import Any

from core.canonical import storable
from core.errors import InvalidInput

LONGEST = {"subject": 200, "address": 500, "assignee": 64}
LONGEST_TEXT = 10_000
MOST_PIECES = 1_000_000
MOST_MONEY = Decimal("9999999999.99")
MOST_ANSWERS = 1_000

_KEY = re.compile(r"[!-~]{1,128}")


def check_action(action: Any) -> None:
    """Refuse an action with empty or unstorable text, or with an amount that is no positive sum in whole cents."""
    for field in fields(action):
        value = getattr(action, field.name)
        if isinstance(value, str):
            _check_text(field.name, value, LONGEST.get(field.name, LONGEST_TEXT))
        elif isinstance(value, Decimal):
            if not value.is_finite() or not 0 < value <= MOST_MONEY or value != round(value, 2):
                raise InvalidInput(f"{field.name} must be above zero and in whole cents", param=field.name)
        elif field.name == "quantity":
            check_pieces(value)


def check_key(key: str) -> None:
    """Refuse a key that cannot travel in a header and a path: it has 1 to 128 visible ASCII characters."""
    if not _KEY.fullmatch(key):
        raise InvalidInput("a key has 1 to 128 visible ASCII characters", param="key")


def check_query(query: Any) -> None:
    """Refuse a query with a limit out of range, or with text that no system can hold."""
    if not 1 <= query.limit <= MOST_ANSWERS:
        raise InvalidInput(f"limit must be between 1 and {MOST_ANSWERS}, not {query.limit}", param="limit")
    for field in fields(query):
        value = getattr(query, field.name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and text:
                _check_text(field.name, text, LONGEST_TEXT)


def check_pieces(quantity: int) -> None:
    """Refuse a number of pieces that is not above zero, or is absurd."""
    if not 1 <= quantity <= MOST_PIECES:
        raise InvalidInput(f"quantity must be between 1 and {MOST_PIECES}, not {quantity}", param="quantity")


def _check_text(param: str, value: str, longest: int) -> None:
    if not value.strip() or len(value) > longest:
        raise InvalidInput(f"{param} must have 1 to {longest} characters", param=param)
    if not storable(value):
        raise InvalidInput(f"{param} holds a character that cannot be stored", param=param)
