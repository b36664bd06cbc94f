"""Whose a thread is: the customer that a key acts for, or else the key."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.types import Principal

THREAD_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Owner:
    """The tenant and the owner within it: both are part of a thread's identity, so nobody reaches another's by id."""

    tenant: str
    name: str

    @classmethod
    def of(cls, principal: Principal) -> Owner:
        """The owner that this principal acts as."""
        return cls(principal.tenant, principal.owner)

    def checkpoint_key(self, thread_id: str) -> str:
        """The thread's name among LangGraph's checkpoints."""
        return f"{self.tenant}/{self.name}/{thread_id}"
