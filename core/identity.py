"""Keys and whom they stand for.

A key is `wsk_` and 43 characters of the URL-safe alphabet: 256 random bits, so that a plain SHA-256 of it can be
stored and compared (a slow hash protects guessable secrets, which this is not). The key itself is shown once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Database, UtcDateTime, now
from core.errors import InvalidInput, NotFound
from core.types import Principal, Role

PREFIX = "wsk_"


class ApiKey(Base):
    """A key: its hash, whom it stands for, and its own limits, if it has any."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    role: Mapped[str]
    customer_id: Mapped[str | None]
    sha256: Mapped[str] = mapped_column(unique=True)
    requests_per_minute: Mapped[int | None]
    tokens_per_day: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Credential:
    """A recognised key: whom it stands for and the limits that it carries."""

    principal: Principal
    name: str
    requests_per_minute: int | None
    tokens_per_day: int | None


class Identity:
    """Makes, recognises, lists and revokes keys.

    Recognising is on the path of every request, so what was recognised is remembered; revoking forgets it.
    Other processes on the same database see a revocation once their memory of the key is `ttl` seconds old.
    """

    def __init__(self, database: Database, *, ttl: float = 30.0) -> None:
        self._database = database
        self._ttl = ttl
        self._known: dict[str, tuple[float, Credential]] = {}

    async def create(
        self,
        tenant: str,
        name: str,
        role: Role,
        *,
        customer_id: str | None = None,
        requests_per_minute: int | None = None,
        tokens_per_day: int | None = None,
    ) -> tuple[str, ApiKey]:
        """Return the new key, which cannot be had again, and its row.

        A client key without a customer acts for an anonymous visitor. Raises `InvalidInput` when a key of
        another role names a customer.
        """
        if customer_id is not None and role is not Role.CLIENT:
            raise InvalidInput("only a client key acts for a customer", param="customer_id")
        secret = PREFIX + secrets.token_urlsafe(32)
        row = ApiKey(
            id="key_" + secrets.token_hex(8),
            tenant=tenant,
            name=name,
            role=role.value,
            customer_id=customer_id,
            sha256=fingerprint(secret),
            requests_per_minute=requests_per_minute,
            tokens_per_day=tokens_per_day,
            created_at=now(),
        )
        async with self._database.session() as session:
            session.add(row)
        return secret, row

    async def recognise(self, secret: str, clock: float) -> Credential | None:
        """Return what the key stands for, or None. `clock` is a monotonic time in seconds."""
        digest = fingerprint(secret)
        known = self._known.get(digest)
        if known is not None and clock - known[0] < self._ttl:
            return known[1]
        async with self._database.session() as session:
            row = await session.scalar(select(ApiKey).where(ApiKey.sha256 == digest, ApiKey.revoked_at.is_(None)))
        if row is None:
            self._known.pop(digest, None)
            return None
        principal = Principal(row.id, row.tenant, Role(row.role), row.customer_id)
        credential = Credential(principal, row.name, row.requests_per_minute, row.tokens_per_day)
        self._known[digest] = (clock, credential)
        return credential

    async def list(self, tenant: str) -> list[ApiKey]:
        """Every key of the tenant, oldest first, revoked ones included."""
        async with self._database.session() as session:
            rows = await session.scalars(select(ApiKey).where(ApiKey.tenant == tenant).order_by(ApiKey.created_at))
            return list(rows)

    async def revoke(self, tenant: str, key_id: str) -> None:
        """End the key's life, at once in this process. Raises `NotFound` when the tenant has no such live key."""
        async with self._database.session() as session:
            ended = await session.execute(
                update(ApiKey)
                .where(ApiKey.tenant == tenant, ApiKey.id == key_id, ApiKey.revoked_at.is_(None))
                .values(revoked_at=now())
                .returning(ApiKey.sha256)
            )
            digest = ended.scalar_one_or_none()
        if digest is None:
            raise NotFound(f"no live key {key_id}", param="key_id")
        self._known.pop(digest, None)


def fingerprint(secret: str) -> str:
    """The SHA-256 of a key, in hex: what is stored and compared."""
    return hashlib.sha256(secret.encode()).hexdigest()
