"""Items that outlive threads, under namespaces: what `langgraph-sdk` calls the store. Each owner has its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from app.runs.owner import Owner
from core.database import Base, Database, UtcDateTime, now
from core.errors import InvalidInput, NotFound


class StoreItemRow(Base):
    """An item. `namespace` is its labels joined by periods, which no label has."""

    __tablename__ = "store_items"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    namespace: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it was read."""

    namespace: tuple[str, ...]
    key: str
    value: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


class Store:
    """Puts, gets, finds and deletes items."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert

    async def put(self, owner: Owner, namespace: Sequence[str], key: str, value: Mapping[str, Any]) -> None:
        """Write an item, over the one that was there."""
        moment = now()
        row = {
            "tenant": owner.tenant,
            "owner": owner.name,
            "namespace": joined(namespace),
            "key": key,
            "value": dict(value),
            "created_at": moment,
            "updated_at": moment,
        }
        upsert = (
            self._insert(StoreItemRow)
            .values(row)
            .on_conflict_do_update(
                index_elements=["tenant", "owner", "namespace", "key"],
                set_={"value": row["value"], "updated_at": moment},
            )
        )
        async with self._database.session() as session:
            await session.execute(upsert)

    async def get(self, owner: Owner, namespace: Sequence[str], key: str) -> Item:
        """The item. Raises `NotFound`."""
        at = and_(_of(owner), StoreItemRow.namespace == joined(namespace), StoreItemRow.key == key)
        async with self._database.session() as session:
            row = await session.scalar(select(StoreItemRow).where(at))
        if row is None:
            raise NotFound(f"There is no item {key!r} there.", param="key")
        return _item(row)

    async def delete(self, owner: Owner, namespace: Sequence[str], key: str) -> None:
        """Remove an item; one that is not there is as good as removed."""
        at = and_(_of(owner), StoreItemRow.namespace == joined(namespace), StoreItemRow.key == key)
        async with self._database.session() as session:
            await session.execute(delete(StoreItemRow).where(at))

    async def search(self, owner: Owner, prefix: Sequence[str], matching: Mapping[str, Any] | None) -> list[Item]:
        """The items under the prefix whose values match, those changed last first.

        A condition is a value, or an object of `$eq $ne $gt $gte $lt $lte`.
        """
        query = select(StoreItemRow).where(_of(owner), _under(prefix))
        order = (StoreItemRow.updated_at.desc(), StoreItemRow.namespace, StoreItemRow.key)
        async with self._database.session() as session:
            rows = await session.scalars(query.order_by(*order))
            return [_item(row) for row in rows if matches(row.value, matching or {})]

    async def namespaces(self, owner: Owner) -> list[tuple[str, ...]]:
        """Every namespace that has an item, in order."""
        query = select(StoreItemRow.namespace).where(_of(owner)).distinct().order_by(StoreItemRow.namespace)
        async with self._database.session() as session:
            return [tuple(name.split(".")) for name in await session.scalars(query)]


def joined(namespace: Sequence[str]) -> str:
    """The namespace as it is kept. Raises `InvalidInput` for labels that are empty or have a period."""
    if not namespace or any(not label or "." in label for label in namespace):
        raise InvalidInput("A namespace is one or more labels, none empty, none with a period.", param="namespace")
    return ".".join(namespace)


def matches(value: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Whether the value's members meet every condition. Raises `InvalidInput` for an unknown operator."""
    return all(_meets(value.get(name), condition) for name, condition in conditions.items())


def _meets(found: Any, condition: Any) -> bool:
    if not isinstance(condition, Mapping) or not any(str(name).startswith("$") for name in condition):
        return bool(found == condition)
    return all(_compare(found, operator, other) for operator, other in condition.items())


def _compare(found: Any, operator: str, other: Any) -> bool:
    if operator == "$eq":
        return bool(found == other)
    if operator == "$ne":
        return bool(found != other)
    if operator not in ("$gt", "$gte", "$lt", "$lte"):
        raise InvalidInput(f"There is no operator {operator!r}.", param="filter")
    numbers = isinstance(found, int | float) and isinstance(other, int | float)
    if not numbers and not (isinstance(found, str) and isinstance(other, str)):
        return False
    if operator == "$gt":
        return bool(found > other)
    if operator == "$gte":
        return bool(found >= other)
    return bool(found < other) if operator == "$lt" else bool(found <= other)


def _of(owner: Owner) -> ColumnElement[bool]:
    return and_(StoreItemRow.tenant == owner.tenant, StoreItemRow.owner == owner.name)


def _under(prefix: Sequence[str]) -> ColumnElement[bool]:
    if not prefix:
        return StoreItemRow.namespace.is_not(None)
    whole = joined(prefix)
    return or_(StoreItemRow.namespace == whole, StoreItemRow.namespace.startswith(whole + ".", autoescape=True))


def _item(row: StoreItemRow) -> Item:
    return Item(tuple(row.namespace.split(".")), row.key, row.value, row.created_at, row.updated_at)
