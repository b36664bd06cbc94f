"""The rules of each tenant: what its people put on lists and the limits they set, on top of the settings' own.

Payments are decided about by a copy in memory. Whoever changes something here decides by it at once; another process
takes it up when it refreshes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, String, Table, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.audit import Audit, Entry
from core.database import Base, Database, UtcDateTime, now
from core.errors import Conflict, NotFound
from core.types import Principal
from tabular.fraud.rules import Rules


class FraudList(StrEnum):
    """The lists. A card cannot be on both of its own."""

    BLOCKED_CARDS = "blocked-cards"
    BLOCKED_TERMINALS = "blocked-terminals"
    TRUSTED_CARDS = "trusted-cards"


_OPPOSITE = {
    FraudList.BLOCKED_CARDS: FraudList.TRUSTED_CARDS,
    FraudList.TRUSTED_CARDS: FraudList.BLOCKED_CARDS,
}


class RulebookRow(Base):
    """A tenant's rules. `version` grows with every change; where not `limited`, the settings' limits hold."""

    __tablename__ = "fraud_rulebooks"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    limited: Mapped[bool]
    most_cents: Mapped[int | None] = mapped_column(BigInteger)
    most_uses_an_hour: Mapped[int | None]
    limited_by: Mapped[str | None] = mapped_column(String(128))
    limited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ListedRow(Base):
    """A name on a list."""

    __tablename__ = "fraud_listed"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    list: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Listed:
    """A name on a list: why, and who put it there when."""

    list: FraudList
    name: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """What passes without a person's look, None for whatever; who set it when, None for the settings."""

    most_cents: int | None
    most_uses_an_hour: int | None
    by: str | None = None
    at: datetime | None = None


_BOOKS = cast("Table", RulebookRow.__table__)
_VERSIONS = select(_BOOKS.c.tenant, _BOOKS.c.version)


class Rulebook:
    """Reads and changes the rules. `base` are the settings', which stay in force below everything that is added."""

    def __init__(self, database: Database, base: Rules) -> None:
        self._database = database
        self._base = base
        self._known: dict[str, tuple[int, Rules]] = {}

    def rules(self, tenant: str) -> Rules:
        """What decides now. A card that is trusted here and blocked there is blocked."""
        return self._known[tenant][1] if tenant in self._known else self._base

    async def refresh(self) -> None:
        """Take up what other processes have changed."""
        async with self._database.session() as session:
            versions = (await session.execute(_VERSIONS)).all()
        for tenant, version in versions:
            if self._known.get(tenant, (0, None))[0] < version:
                await self._load(tenant)

    async def limits(self, tenant: str) -> Limits:
        """The limits in force."""
        async with self._database.session() as session:
            row = await session.get(RulebookRow, tenant)
        return self._limits(row)

    async def limit(self, by: Principal, most_cents: int | None, most_uses_an_hour: int | None) -> Limits:
        """Set both limits, each at least 1 or None; those of the settings no longer count."""
        limits = {"most_cents": most_cents, "most_uses_an_hour": most_uses_an_hour}
        values = {"limited": True, **limits, "limited_by": by.owner, "limited_at": now()}
        async with self._database.session() as session:
            await self._changing(session, by.tenant, values)
            entry = Entry(by.key_id, "fraud.limit", "fraud/limits", limits)
            await Audit(self._database).append(by.tenant, entry, session=session)
        await self._load(by.tenant)
        return await self.limits(by.tenant)

    async def listed(self, tenant: str, which: FraudList, *, limit: int, after: str = "") -> Sequence[Listed]:
        """What people put on the list, by name, `after` a name. The settings' own is not among it."""
        query = select(ListedRow).where(
            ListedRow.tenant == tenant, ListedRow.list == which.value, ListedRow.name > after
        )
        async with self._database.session() as session:
            rows = await session.scalars(query.order_by(ListedRow.name).limit(limit))
            return [_listed(row) for row in rows.all()]

    async def put(self, by: Principal, which: FraudList, name: str, reason: str) -> tuple[Listed, bool]:
        """Put a name on a list; whether it was new there. One that is there keeps its reason.

        Raises `Conflict` for a card that is on the opposite list.
        """
        listed, new = await self._put(by, which, name, reason)
        # Also where another process put it there: it is in force here from now on.
        await self._load(by.tenant)
        return listed, new

    async def remove(self, by: Principal, which: FraudList, name: str) -> None:
        """Take a name off a list. Raises `NotFound` where it is not, also where only the settings have it."""
        gone = delete(ListedRow).where(
            ListedRow.tenant == by.tenant, ListedRow.list == which.value, ListedRow.name == name
        )
        async with self._database.session() as session:
            await self._changing(session, by.tenant, {})
            if await session.scalar(gone.returning(ListedRow.name)) is None:
                raise NotFound(f"{name} was not put on the list {which.value}", param="name")
            entry = Entry(by.key_id, "fraud.unlist", f"fraud/{which.value}/{name}", {})
            await Audit(self._database).append(by.tenant, entry, session=session)
        await self._load(by.tenant)

    async def _put(self, by: Principal, which: FraudList, name: str, reason: str) -> tuple[Listed, bool]:
        async with self._database.session() as session:
            await self._changing(session, by.tenant, {})
            if (found := await session.get(ListedRow, (by.tenant, which.value, name))) is not None:
                return _listed(found), False
            opposite = _OPPOSITE.get(which)
            if opposite is not None and await session.get(ListedRow, (by.tenant, opposite.value, name)) is not None:
                raise Conflict(f"{name} is on the list {opposite.value}: take it off first", param="name")
            listed = Listed(which, name, reason, by.owner, now())
            row = {"list": which.value, "name": name, "reason": reason, "by": listed.by, "at": listed.at}
            await session.execute(insert(ListedRow).values(tenant=by.tenant, **row))
            entry = Entry(by.key_id, "fraud.list", f"fraud/{which.value}/{name}", {"reason": reason})
            await Audit(self._database).append(by.tenant, entry, session=session)
        return listed, True

    async def _changing(self, session: AsyncSession, tenant: str, values: Mapping[str, Any]) -> None:
        """Raise the version, which locks the tenant's rules until the transaction ends."""
        upsert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        first = {"tenant": tenant, "version": 0, "limited": False, "most_cents": None, "most_uses_an_hour": None}
        await session.execute(upsert(RulebookRow).values(first).on_conflict_do_nothing())
        raised = update(RulebookRow).where(RulebookRow.tenant == tenant)
        await session.execute(raised.values(version=RulebookRow.version + 1, **values))

    async def _load(self, tenant: str) -> None:
        # Read after the version, the lists are no older than it, whatever is changed meanwhile.
        async with self._database.session() as session:
            book = await session.get(RulebookRow, tenant)
            rows = await session.execute(select(ListedRow.list, ListedRow.name).where(ListedRow.tenant == tenant))
            names: dict[str, set[str]] = {each.value: set() for each in FraudList}
            for which, name in rows:
                names[which].add(name)
        if book is None or self._known.get(tenant, (0, None))[0] >= book.version:
            return
        blocked = self._base.blocked_cards | names[FraudList.BLOCKED_CARDS]
        limits = self._limits(book)
        rules = replace(
            self._base,
            blocked_cards=blocked,
            blocked_terminals=self._base.blocked_terminals | names[FraudList.BLOCKED_TERMINALS],
            trusted_cards=(self._base.trusted_cards | names[FraudList.TRUSTED_CARDS]) - blocked,
            most_cents=limits.most_cents,
            most_uses_an_hour=limits.most_uses_an_hour,
        )
        self._known[tenant] = (book.version, rules)

    def _limits(self, row: RulebookRow | None) -> Limits:
        if row is None or not row.limited:
            return Limits(self._base.most_cents, self._base.most_uses_an_hour)
        return Limits(row.most_cents, row.most_uses_an_hour, row.limited_by, row.limited_at)


def _listed(row: ListedRow) -> Listed:
    return Listed(FraudList(row.list), row.name, row.reason, row.by, row.at)
