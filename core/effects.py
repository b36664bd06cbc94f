"""An effect is one tool call that changes the world; a destination is where it does so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from core.canonical import JSON, canonical


@dataclass(frozen=True, slots=True)
class Effect:
    """One tool call that changes the world. `key` names it within its tenant and at its destination."""

    tenant: str
    key: str
    tool: str
    arguments: Mapping[str, JSON]


def effect_key(tenant: str, thread: str, step: int, call_index: int, tool: str, arguments: Mapping[str, JSON]) -> str:
    """The key of the `call_index`-th call in a thread's step: a SHA-256 in hex.

    The same call replayed has the same key, and any other call has another. The tenant is part of it, because
    threads are named by clients and several tenants may share one account at a destination. Raises `InvalidInput`
    when `arguments` are not JSON.
    """
    return hashlib.sha256(canonical([tenant, thread, step, call_index, tool, arguments]).encode()).hexdigest()


class Destination(Protocol):
    """Carries out effects of one kind, and can say afterwards what became of them.

    Both methods raise `TimeoutError`, `OSError` or `OutcomeUnknown` when they got no answer, and `SystemUnavailable`
    when the destination could not be asked at all just now; an adapter translates its client's own errors to these.
    """

    async def execute(self, effect: Effect) -> JSON:
        """Carry out the effect and return its result, which is never null. `effect.key` is its idempotency key.

        Raises a refusal (`InvalidInput`, `Forbidden`, `NotFound`, `Conflict`) only when nothing happened and nothing
        will. `InFlight` says that an earlier request with this key is still being worked on.
        """

    async def outcome(self, effect: Effect) -> JSON:
        """Return what `execute` returned, or would have, had its answer arrived; None when nothing happened.

        Raises `OutcomeUnknown` where the destination cannot be asked at all: the effect is then never repeated.
        """
