"""Who carries out which effect: one row an effect, changed by compare-and-set only.

A row is born reserved and ends done or failed; an end is never changed again. Whoever reserved it holds a lease,
which has to be renewed; when the lease has run out, another owner may take the row over.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Text, and_, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import errors
from core.canonical import JSON, canonical
from core.database import Base, Database, UtcDateTime, now
from core.effects import Effect
from core.errors import KeyReused, WaysideError

# A refusal means for certain that nothing happened, and that asking again would be refused again. `InFlight` is a
# Conflict, but says neither.
REFUSALS: Mapping[str, type[WaysideError]] = {
    kind.__name__: kind
    for kind in (
        errors.InvalidInput,
        errors.UnsupportedParameter,
        errors.UnreadableDocument,
        errors.UnsupportedMedia,
        errors.TooLarge,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.KeyReused,
    )
}


class Status(StrEnum):
    """How far an effect is."""

    RESERVED = "reserved"
    DONE = "done"
    FAILED = "failed"


class EffectRow(Base):
    """An effect. `arguments` and `outcome` (the result, or the refusal) are canonical JSON."""

    __tablename__ = "effects"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str]
    arguments: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    owner: Mapped[str]
    leased_until: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out an effect, while its lease lasts.

    `doubt` is the moment until which a former owner may have sent the effect off; None where there was none.
    """

    tenant: str
    key: str
    owner: str
    doubt: datetime | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an effect: its result, or why it was refused, as canonical JSON."""

    status: Status
    outcome: str

    @classmethod
    def done(cls, result: JSON) -> Ended:
        """The end of an effect that took place. Raises `InvalidInput` for a result that is no JSON."""
        return cls(Status.DONE, canonical(result))

    @classmethod
    def failed(cls, refusal: WaysideError) -> Ended:
        """The end of an effect that its destination refused; `refusal` is of a kind in `REFUSALS`."""
        kind = next(base.__name__ for base in type(refusal).__mro__ if base.__name__ in REFUSALS)
        said = {"kind": kind, "message": refusal.message, "param": refusal.param, "code": refusal.code}
        return cls(Status.FAILED, canonical(said))

    def result(self) -> JSON:
        """Return the result, or raise the refusal: the same each time."""
        said: Any = json.loads(self.outcome)
        if self.status is Status.FAILED:
            raise REFUSALS[said["kind"]](said["message"], param=said["param"], code=said["code"])
        result: JSON = said
        return result


Record = Callable[[AsyncSession, Ended], Awaitable[None]]
"""Writes what else has to be written with the end of an effect, in the same transaction."""


class Reservations:
    """The table of effects."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        self._database = database
        self._lease = lease

    async def claim(self, effect: Effect) -> Claim | Ended | None:
        """Reserve the effect, or take it over, or return its end; None while a living owner has it.

        Raises `KeyReused` when the key stands for another call already.
        """
        owner, arguments = secrets.token_hex(16), canonical(effect.arguments)
        async with self._database.session() as session:
            seen = await session.scalar(select(EffectRow).where(_at(effect)))
            if seen is None:
                if await self._insert(session, effect, arguments, owner):
                    return Claim(effect.tenant, effect.key, owner, None)
                return None  # Somebody was quicker, and lives.
            if (seen.tool, seen.arguments) != (effect.tool, arguments):
                raise KeyReused(f"this effect's key already stands for another call of {seen.tool}")
            if seen.outcome is not None:
                return Ended(Status(seen.status), seen.outcome)
            moment = now()
            if seen.leased_until > moment:
                return None
            # A renewal changes the lease and a new owner changes the owner: then this compares unequal.
            unchanged = and_(_held(effect, seen.owner), EffectRow.leased_until == seen.leased_until)
            taken = {"owner": owner, "leased_until": moment + self._lease}
            if not await _changed(session, update(EffectRow).where(unchanged).values(taken)):
                return None
            return Claim(effect.tenant, effect.key, owner, seen.leased_until)

    async def knows(self, effect: Effect) -> bool:
        """Whether the effect is reserved or has ended."""
        async with self._database.session() as session:
            return await session.scalar(select(EffectRow.key).where(_at(effect))) is not None

    async def renew(self, claim: Claim) -> bool:
        """Hold the claim for another lease from now; False when it was lost."""
        return await self._set(claim, leased_until=now() + self._lease)

    async def end(self, claim: Claim, end: Ended, record: Record | None = None) -> bool:
        """Write the end, for ever, and what goes with it; False when the claim was lost."""
        values = {"status": end.status.value, "outcome": end.outcome, "ended_at": now()}
        async with self._database.session() as session:
            ours = await _changed(session, update(EffectRow).where(_held(claim, claim.owner)).values(values))
            if ours and record is not None:
                await record(session, end)
        return ours

    async def release(self, claim: Claim) -> None:
        """Let the next one have the effect at once; whoever it is will read back first."""
        await self._set(claim, leased_until=now())

    async def withdraw(self, claim: Claim) -> None:
        """Take the reservation back: for certain nothing has happened, so the next one has nothing to read back."""
        async with self._database.session() as session:
            await _changed(session, delete(EffectRow).where(_held(claim, claim.owner)))

    async def _set(self, claim: Claim, **values: Any) -> bool:
        async with self._database.session() as session:
            return await _changed(session, update(EffectRow).where(_held(claim, claim.owner)).values(values))

    async def _insert(self, session: AsyncSession, effect: Effect, arguments: str, owner: str) -> bool:
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        moment = now()
        row = {
            "tenant": effect.tenant,
            "key": effect.key,
            "tool": effect.tool,
            "arguments": arguments,
            "status": Status.RESERVED.value,
            "owner": owner,
            "leased_until": moment + self._lease,
            "created_at": moment,
        }
        first = insert(EffectRow).values(row).on_conflict_do_nothing().returning(EffectRow.owner)
        return await session.scalar(first) is not None


def _at(effect: Effect | Claim) -> ColumnElement[bool]:
    return and_(EffectRow.tenant == effect.tenant, EffectRow.key == effect.key)


def _held(effect: Effect | Claim, owner: str) -> ColumnElement[bool]:
    reserved = EffectRow.status == Status.RESERVED.value
    return and_(_at(effect), EffectRow.owner == owner, reserved)


async def _changed(session: AsyncSession, statement: Any) -> bool:
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult), "an update gives a cursor result"  # noqa: S101
    return result.rowcount == 1
