"""`Idempotency-Key`: the same request sent twice takes effect once, and is answered twice alike.

A request with a key claims it by one atomic upsert before anything else happens. Who does not get the claim
finds the row of the one who did: finished (its answer is given again), or in flight (409). A claim is a lease
that is renewed while its request runs, so that the key of a process that died can be claimed again.

Only successes are kept: a refused request changed nothing, so its key is free to be tried again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, LargeBinary, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Database, UtcDateTime, now
from core.errors import InFlight
from core.types import Principal

LEASE = timedelta(seconds=30)
KEPT = timedelta(hours=24)


class IdempotencyRow(Base):
    """A key in use. `status` is null until the request has succeeded."""

    __tablename__ = "idempotency"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    leased_until: Mapped[datetime] = mapped_column(UtcDateTime)
    fingerprint: Mapped[str | None]
    status: Mapped[int | None]
    headers: Mapped[list[list[str]] | None] = mapped_column(JSON)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    @property
    def stored(self) -> Stored | None:
        """The finished answer, whose columns are written together; None while there is none."""
        if self.status is None or self.fingerprint is None or self.body is None:
            return None
        return Stored(self.fingerprint, self.status, self.headers or [], self.body)


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished answer. `fingerprint` is the SHA-256 of the method, path and body that it answered."""

    fingerprint: str
    status: int
    headers: list[list[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out the request with this key, while it is held."""

    principal: Principal
    key: str
    owner: str


class Idempotency:
    """The keys in use, in the database. Keys of one API key are unknown to another."""

    def __init__(self, database: Database, lease: timedelta = LEASE) -> None:
        self._database = database
        self._lease = lease
        self._swept: datetime | None = None

    async def claim(self, principal: Principal, key: str) -> Claim | Stored:
        """Return the claim, or what is stored. Raises `InFlight` while another request holds the key."""
        await self._sweep()
        moment = now()
        claim = Claim(principal, key, secrets.token_hex(16))
        row = {
            "tenant": principal.tenant,
            "key_id": principal.key_id,
            "key": key,
            "owner": claim.owner,
            "leased_until": moment + self._lease,
            "created_at": moment,
        }
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        abandoned = and_(IdempotencyRow.status.is_(None), IdempotencyRow.leased_until < moment)
        taken = (
            insert(IdempotencyRow)
            .values(row)
            .on_conflict_do_update(
                index_elements=["tenant", "key_id", "key"],
                set_={name: row[name] for name in ("owner", "leased_until", "created_at")}
                | dict.fromkeys(("status", "fingerprint", "headers", "body")),
                where=or_(abandoned, IdempotencyRow.created_at < moment - KEPT),
            )
            .returning(IdempotencyRow.owner)
        )
        async with self._database.session() as session:
            if await session.scalar(taken) is not None:
                return claim
            found = await session.scalar(select(IdempotencyRow).where(*_at(claim)))
        if found is None or found.stored is None:
            raise InFlight("The first request with this Idempotency-Key has not ended yet.")
        return found.stored

    @asynccontextmanager
    async def held(self, claim: Claim) -> AsyncIterator[None]:
        """Renew the claim while the block runs."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._lease.total_seconds() / 3)
                async with self._database.session() as session:
                    values = {"leased_until": now() + self._lease}
                    await session.execute(update(IdempotencyRow).where(*_ours(claim)).values(values))

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.wait({renewal})

    async def keep(self, claim: Claim, stored: Stored) -> None:
        """Store the answer under the claimed key."""
        values = {
            "fingerprint": stored.fingerprint,
            "status": stored.status,
            "headers": stored.headers,
            "body": stored.body,
        }
        async with self._database.session() as session:
            await session.execute(update(IdempotencyRow).where(*_ours(claim)).values(values))

    async def release(self, claim: Claim) -> None:
        """Give the key back unused."""
        async with self._database.session() as session:
            await session.execute(delete(IdempotencyRow).where(*_ours(claim)))

    async def _sweep(self) -> None:
        """Forget what is older than `KEPT`, at most once an hour."""
        moment = now()
        if self._swept is not None and moment - self._swept < timedelta(hours=1):
            return
        self._swept = moment
        async with self._database.session() as session:
            await session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < moment - KEPT))


def _at(claim: Claim) -> tuple[Any, ...]:
    return (
        IdempotencyRow.tenant == claim.principal.tenant,
        IdempotencyRow.key_id == claim.principal.key_id,
        IdempotencyRow.key == claim.key,
    )


def _ours(claim: Claim) -> tuple[Any, ...]:
    """The row while the claim holds: a lease that ran out may have gone to another request."""
    return *_at(claim), IdempotencyRow.owner == claim.owner
