"""The append-only event log, in the database: what features are made of, for training and for service.

Numbers are given under a lock on the tenant's counter that is held until the transaction ends, so nobody ever reads
number n without every smaller one, and whoever holds the lock may decide on the basis of everything before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import orjson
from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Database
from tabular.events import Entry, Event

PAGE = 2_000
"""Entries that are read at once: few enough that the event loop is held up for some milliseconds only."""


class EventRow(Base):
    """An entry. Rows are never changed; they are removed only when a tenant or a customer is erased."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("tenant", "kind", "id"),
        Index("ix_events_known_at", "tenant", "known_at"),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(32))
    id: Mapped[str] = mapped_column(String(128))
    at: Mapped[int] = mapped_column(BigInteger)
    known_at: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class EventCounter(Base):
    """The number of the tenant's last entry; its row is the lock of whoever appends."""

    __tablename__ = "event_counters"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


_EVENTS, _COUNTERS = cast("Table", EventRow.__table__), cast("Table", EventCounter.__table__)
_OURS = _COUNTERS.c.tenant == bindparam("ours")
# Statements are built once: on the way of every payment SQLAlchemy would take longer to build them than SQLite to work.
_TAKE = update(_COUNTERS).where(_OURS).values(number=_COUNTERS.c.number + bindparam("taken"))
_TAKE_AND_TELL = _TAKE.returning(_COUNTERS.c.number)
_SET = update(_COUNTERS).where(_OURS).values(number=bindparam("reached"))
_COLUMNS = _EVENTS.c.number, _EVENTS.c.kind, _EVENTS.c.id, _EVENTS.c.at, _EVENTS.c.known_at, _EVENTS.c.body
_APPEND = insert(_EVENTS)
_KNOWN = select(*_COLUMNS).where(
    _EVENTS.c.tenant == bindparam("ours"),
    _EVENTS.c.kind == bindparam("kind"),
    _EVENTS.c.id.in_(bindparam("ids", expanding=True)),
)
# By the index on what was known when. Of the number alone the planner would take the first it meets in the order of
# numbers, and look at the whole log for it.
_FIRST = select(func.min(_EVENTS.c.number + 0)).where(
    _EVENTS.c.tenant == bindparam("ours"), _EVENTS.c.known_at >= bindparam("known_from")
)


class EventLog:
    """Appends and reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lock(self, session: AsyncSession, tenant: str, reserving: int = 0) -> int:
        """Wait for the right to append until the session's transaction ends; the number of the last entry.

        `reserving` says how many entries will probably be appended, which then takes one statement less.
        """
        # An update locks the row also where it changes nothing, and tells what is in it now.
        wanted = {"ours": tenant, "taken": reserving}
        reached = (await session.execute(_TAKE_AND_TELL, wanted)).scalar_one_or_none()
        if reached is None:
            insert_ = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
            await session.execute(insert_(EventCounter).values(tenant=tenant, number=0).on_conflict_do_nothing())
            reached = (await session.execute(_TAKE_AND_TELL, wanted)).scalar_one()
        return int(reached) - reserving

    async def append(
        self, session: AsyncSession, tenant: str, after: int, events: Sequence[Event], reserved: int = 0
    ) -> None:
        """Append under the lock, which said that `after` is the last number, and was told of `reserved`.

        Raises `sqlalchemy.exc.IntegrityError` when the log has one of the events already.
        """
        rows = [
            {
                "tenant": tenant,
                "number": number,
                "kind": each.kind,
                "id": each.id,
                "at": each.at,
                "known_at": each.known_at,
                "body": orjson.dumps(each.body),
            }
            for number, each in enumerate(events, start=after + 1)
        ]
        if rows:
            await session.execute(_APPEND, rows)
        if len(rows) != reserved:
            await session.execute(_SET, {"ours": tenant, "reached": after + len(rows)})

    async def known(self, session: AsyncSession, tenant: str, kind: str, ids: Sequence[str]) -> dict[str, Event]:
        """Those of the events that the log has."""
        rows = (await session.execute(_KNOWN, {"ours": tenant, "kind": kind, "ids": list(ids)})).all()
        return {row.id: _event(row) for row in rows}

    async def read(
        self, tenant: str, kinds: Sequence[str], *, after: int = 0, known_from: int | None = None
    ) -> AsyncIterator[Entry]:
        """Every entry of the kinds in order; with `known_from`, those known from that moment on.

        Read in pages, each its own transaction: entries that are appended meanwhile come along. What lies before the
        first that was known from then on is passed over, so that a long log takes no longer than a short one.
        """
        if known_from is not None:
            # Told first: what is appended while the first is looked for lies behind it.
            whole = await self.length(tenant)
            async with self._database.session() as session:
                first = await session.scalar(_FIRST, {"ours": tenant, "known_from": known_from})
            after = max(after, whole if first is None else first - 1)
        while True:
            async with self._database.session() as session:
                page = await self.page(session, tenant, kinds, after=after, known_from=known_from)
            for entry in page:
                yield entry
            if len(page) < PAGE:
                return
            after = page[-1].number

    async def page(
        self, session: AsyncSession, tenant: str, kinds: Sequence[str], *, after: int, known_from: int | None = None
    ) -> list[Entry]:
        """The next entries, `PAGE` at most, within a transaction of the caller's."""
        wanted = select(*_COLUMNS).where(
            _EVENTS.c.tenant == tenant, _EVENTS.c.number > after, _EVENTS.c.kind.in_(kinds)
        )
        if known_from is not None:
            wanted = wanted.where(_EVENTS.c.known_at >= known_from)
        rows = (await session.execute(wanted.order_by(_EVENTS.c.number).limit(PAGE))).all()
        return [Entry(row.number, _event(row)) for row in rows]

    async def length(self, tenant: str) -> int:
        """How many entries the tenant's log has."""
        async with self._database.session() as session:
            found = await session.scalar(select(func.max(EventRow.number)).where(EventRow.tenant == tenant))
        return int(found or 0)


def _event(row: Any) -> Event:
    return Event(row.kind, row.id, row.at, row.known_at, orjson.loads(row.body))
