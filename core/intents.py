"""What a person wanted done while their device had no network, and what became of it: one contract for both ends.

An intent is kept on the device (`edge.outbox`), sent when there is a network, and settled by the server
(`agents.reconciling`), once, however often it is sent. It names what the person saw of the thing that it is about, so
that the server can tell whether they would still want it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from uuid_utils.compat import uuid7

from core.canonical import JSON, canonical
from core.errors import InvalidInput

LIFETIME = timedelta(days=7)
"""How long an intent stands when nobody says otherwise."""
LONGEST = timedelta(days=30)
"""The longest time that an intent may stand."""
MOST = 50
"""The most intents in one request."""


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seen(_Frozen):
    """What the person saw of the thing that an intent is about: its version, and its fields that matter."""

    version: str = Field(max_length=64, description="`version` of the record, as the server gave it")
    fields: dict[str, Any] = Field({}, description="the fields that the action depends on, with their values")


class Intent(_Frozen):
    """A call of a tool that waits for the network. The id is its idempotency key, and orders intents by time."""

    id: UUID = Field(description="a UUIDv7 (RFC 9562) made on the device")
    tool: str = Field(min_length=1, max_length=64)
    arguments: dict[str, Any] = Field(description="the tool's arguments")
    subject: dict[str, str] = Field({}, description="whom it is about: customer_id, order_id, ticket_id")
    base: Seen | None = Field(None, description="what the person saw of what it changes")
    made: AwareDatetime
    expires: AwareDatetime = Field(description="from then on it must not be brought about any more")
    confirmed: str | None = Field(
        None, max_length=64, description="the version of the record on which the person agreed to it once more"
    )

    @field_validator("id")
    @classmethod
    def _ordered(cls, value: UUID) -> UUID:
        if value.version != 7:
            raise ValueError("must be a UUID of version 7")
        return value

    @field_validator("arguments")
    @classmethod
    def _canonical(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            canonical(value)
        except InvalidInput as problem:
            raise ValueError(problem.message) from problem
        return value

    @classmethod
    def make(
        cls,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        subject: Mapping[str, str] | None = None,
        base: Seen | None = None,
        moment: datetime | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> Intent:
        """A new intent, as of `moment` (default: now)."""
        made = (moment or datetime.now(UTC)).astimezone(UTC)
        # Those of one millisecond are in order as well, but for the ones that are given a time.
        number = uuid7() if moment is None else uuid7(int(made.timestamp()), made.microsecond * 1000)
        return cls(
            id=number,
            tool=tool,
            arguments=dict(arguments),
            subject=dict(subject or {}),
            base=base,
            made=made,
            expires=made + lifetime,
        )

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of what is to be done: an id must not come back with another one."""
        return version([self.tool, self.arguments, self.subject], digits=64)


class State(StrEnum):
    """What became of an intent."""

    APPLIED = "applied"
    """It took effect."""
    MERGED = "merged"
    """It took effect beside what had changed meanwhile, or was so already."""
    WAITING = "waiting"
    """A person at the company has to agree first."""
    REJECTED = "rejected"
    """It did not take effect, and will not."""
    NEEDS_USER = "needs_user"
    """The person who wanted it has to agree once more, to what it is now: see `Intent.confirmed`."""
    LATER = "later"
    """A system did not answer; it is to be sent again."""


FINAL = frozenset({State.APPLIED, State.MERGED, State.REJECTED})
"""The states that stay."""


class Settlement(_Frozen):
    """What the server says of an intent.

    `result` is what the tool returned. `current` is the record as it is now and `version` its version, where the person
    is asked. `arguments` are those it took effect with, which an approver may have edited.
    """

    id: UUID
    state: State
    text: str = Field(description="a sentence for the person")
    code: str | None = Field(None, description="why, where it is rejected or asked about, as a stable word")
    result: Any = None
    arguments: dict[str, Any] | None = None
    approval: str | None = None
    current: Any = None
    version: str | None = None


class Records(_Frozen):
    """A customer's records to take along: what an intent can be about. `versions` has one for each order's id."""

    as_of: AwareDatetime
    orders: list[dict[str, Any]]
    versions: dict[str, str]


def version(record: JSON, digits: int = 16) -> str:
    """The version of a record: the beginning of the SHA-256 over its canonical form (RFC 8785)."""
    return hashlib.sha256(canonical(record).encode()).hexdigest()[:digits]
