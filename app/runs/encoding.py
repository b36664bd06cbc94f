"""What graphs stream and keep, as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Set
from decimal import Decimal
from typing import Any

import orjson
from langgraph.types import Interrupt
from pydantic import BaseModel

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


def encode(value: Any) -> bytes:
    """The JSON of whatever a graph may give: messages, interrupts, dataclasses and plain values."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def plain(value: Any) -> Any:
    """The same as plain Python values."""
    return orjson.loads(encode(value))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Interrupt):
        return {"value": value.value, "id": value.id}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Set | tuple):
        return list(value)
    if isinstance(value, Decimal):
        return str(value)
    # A live object, such as a model or a tool: its class is all that can be told.
    return f"<{type(value).__qualname__}>"
