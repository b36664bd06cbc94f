"""The audit log: who did what, on which object. A tenant's entries are one chain, in which nothing can be changed.

An entry is canonical JSON with the hash of the entry before it inside, and its own hash is the SHA-256 of that text:
`sha256sum` and a JSON reader are all that checking takes. Changing, removing, inserting or reordering entries breaks
the chain at that place; the tenant's head, kept apart, gives away a missing end. Who may write to the whole database
can still write a whole new chain: against that, note the head's hash elsewhere and verify with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.canonical import JSON, canonical
from core.database import Base, Database, now

# What the first entry of every chain follows.
ORIGIN = "0" * 64
_BATCH = 500


class AuditRow(Base):
    """An entry. `content` is the entry; `object` stands beside it so that an object's history can be found."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "tenant", "object", "number"),)

    tenant: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    object: Mapped[str]
    content: Mapped[str] = mapped_column(Text)
    hash: Mapped[str]


class AuditHead(Base):
    """The end of a tenant's chain; its row lock is what puts concurrent entries one after the other."""

    __tablename__ = "audit_heads"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, on which object.

    `actor` is a key's id, or `wayside` itself; `action` a word such as `approval.approve`; `object` a kind and an id
    such as `order/ORD-10421`; `payload` whatever else is to be proven later.
    """

    actor: str
    action: str
    object: str
    payload: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry in its place: entries of a tenant are numbered from 1 without a gap."""

    number: int
    at: datetime
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What checking a chain found: how many entries hold, the hash of the last of them, and the first broken link."""

    entries: int
    hash: str
    broken: Broken | None


class Audit:
    """The audit log of every tenant. There is no way to change or remove an entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, tenant: str, entry: Entry, session: AsyncSession | None = None) -> Recorded:
        """Record the entry at the end of the tenant's chain.

        With a `session`, in that transaction: what was done and the record of it are then one. Append last in it,
        because the tenant's other entries wait until it ends. Raises `InvalidInput` when the payload is no JSON.
        """
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        origin = {"tenant": tenant, "number": 0, "hash": ORIGIN}
        ours = AuditHead.tenant == tenant
        block: AbstractAsyncContextManager[AsyncSession]
        block = self._database.session() if session is None else nullcontext(session)
        async with block as writing:
            await writing.execute(insert(AuditHead).values(origin).on_conflict_do_nothing())
            # The update comes first and locks the head, so that its hash cannot be read twice.
            forward = update(AuditHead).where(ours).values(number=AuditHead.number + 1)
            number, previous = (await writing.execute(forward.returning(AuditHead.number, AuditHead.hash))).one()
            at = now()
            content = _content(tenant, number, at, entry, previous)
            digest = _sha256(content)
            row = {"tenant": tenant, "number": number, "object": entry.object, "content": content, "hash": digest}
            await writing.execute(insert(AuditRow).values(row))
            await writing.execute(update(AuditHead).where(ours).values(hash=digest))
        return Recorded(number, at, entry, previous, digest)

    async def entries(self, tenant: str, *, of: str | None = None, after: int = 0, limit: int = 100) -> list[Recorded]:
        """Return up to `limit` of the tenant's entries with a number above `after`, oldest first.

        `of` is an object: then only what was done to it.
        """
        query = select(AuditRow).where(AuditRow.tenant == tenant, AuditRow.number > after)
        if of is not None:
            query = query.where(AuditRow.object == of)
        async with self._database.session() as session:
            rows = await session.scalars(query.order_by(AuditRow.number).limit(limit))
            return [_recorded(row) for row in rows]

    async def verify(self, tenant: str, *, known: str | None = None) -> Verification:
        """Check the tenant's chain from its beginning to its end, and name the first link that is broken.

        `known` is a hash that was noted earlier: the chain must still contain it. Entries may be appended meanwhile.
        """
        number, previous, remembered = 0, ORIGIN, known in (None, ORIGIN)
        while True:
            head, rows = await self._next(tenant, number)
            for row in rows:
                reason = _fault(row, number, previous)
                if reason is not None:
                    return Verification(number, previous, Broken(number + 1, reason))
                number, previous = row.number, row.hash
                remembered = remembered or previous == known
            if not rows:
                break
        broken = _fault_of_end(head, number, previous)
        if broken is not None:
            return Verification(number, previous, broken)
        if not remembered:
            return Verification(number, previous, Broken(1, f"no entry has the known hash {known}"))
        return Verification(number, previous, None)

    async def _next(self, tenant: str, after: int) -> tuple[tuple[int, str], Sequence[AuditRow]]:
        """The head, and then the next rows: an entry appended in between is among the rows, not missing from them."""
        async with self._database.session() as session:
            head = await session.get(AuditHead, tenant)
            behind = select(AuditRow).where(AuditRow.tenant == tenant, AuditRow.number > after)
            rows = (await session.scalars(behind.order_by(AuditRow.number).limit(_BATCH))).all()
        return (head.number, head.hash) if head is not None else (0, ORIGIN), rows


def _content(tenant: str, number: int, at: datetime, entry: Entry, previous: str) -> str:
    return canonical(
        {
            "tenant": tenant,
            "number": number,
            "at": at.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "object": entry.object,
            "payload": entry.payload,
            "previous": previous,
        }
    )


def _fault(row: AuditRow, number: int, previous: str) -> str | None:
    """What is wrong with the row that should be the entry after `number`."""
    if row.number != number + 1:
        return f"it is missing: the next entry is {row.number}"
    if _sha256(row.content) != row.hash:
        return "its content is not what its hash was made of"
    try:
        said: Any = json.loads(row.content)
        place, follows = (said["tenant"], said["number"], said["object"]), said["previous"]
    except (ValueError, TypeError, KeyError):
        return "its content is no entry"
    if place != (row.tenant, row.number, row.object):
        return "its content belongs to another entry"
    if follows != previous:
        return f"it does not follow entry {number} as that is now"
    return None


def _fault_of_end(head: tuple[int, str], number: int, previous: str) -> Broken | None:
    """What is wrong with a chain that ends with entry `number`, where the head says how it should end."""
    if head[0] > number:
        return Broken(number + 1, f"it is missing: the chain ended with entry {head[0]}")
    if head[0] < number:
        return Broken(head[0] + 1, f"it was added from outside: the chain ended with entry {head[0]}")
    return None if head[1] == previous else Broken(number, "it is not the one that the chain ended with")


def _recorded(row: AuditRow) -> Recorded:
    said: Any = json.loads(row.content)
    entry = Entry(said["actor"], said["action"], said["object"], said["payload"])
    return Recorded(row.number, datetime.fromisoformat(said["at"]), entry, said["previous"], row.hash)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
