"""One entry of the event log, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as the log holds it.

    `kind` and `id` together are one event: the log takes it once. `at` is when it happened and `known_at` when it
    became known here, both in milliseconds since 1970, UTC. `body` is JSON, and belongs to the kind.
    """

    kind: str
    id: str
    at: int
    known_at: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its number: the place in the order in which events became known, from 1, without gaps."""

    number: int
    event: Event
