"""What was recommended to whom, with the chance that each product had of its place: what can be judged afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import Integer, String, Table, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Database, UtcDateTime
from core.errors import NotFound

# Few enough that reading them holds the event loop up for a few milliseconds only.
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A product on a slate. `propensity` is the chance with which it came to stand there, 1 where nothing was drawn."""

    item: str
    score: float
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Drawable:
    """A product that a slot could have shown, and the `chance` that it had."""

    item: str
    score: float
    chance: float


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a slate that was filled by chance: `position` from 1, and everything that it was drawn from."""

    position: int
    drawn_from: tuple[Drawable, ...]

    def chance(self, item: str) -> float:
        """The chance that an item had. Raises `NotFound` for one that could not be drawn."""
        for each in self.drawn_from:
            if each.item == item:
                return each.chance
        raise NotFound(f"{item} could not stand there", param="sku")


@dataclass(frozen=True, slots=True)
class Slate:
    """One answer. Ids are in the order of time. `model` is the version that ranked, None where none was in force."""

    id: str
    customer: str
    at: datetime
    model: int | None
    places: tuple[Place, ...]
    slot: Slot | None = None

    def position(self, item: str) -> int:
        """Where an item stands, from 1. Raises `NotFound`."""
        for number, place in enumerate(self.places, start=1):
            if place.item == item:
                return number
        raise NotFound(f"no {item} was recommended there", param="sku")


class SlateRow(Base):
    """A slate. Rows are never changed; they are removed only when a tenant or a customer is erased."""

    __tablename__ = "recommendation_slates"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    model: Mapped[int | None] = mapped_column(Integer)
    places: Mapped[list[list[Any]]] = mapped_column(sa.JSON)
    position: Mapped[int | None] = mapped_column(Integer)
    drawn_from: Mapped[list[list[Any]]] = mapped_column(sa.JSON)


_KEEP = insert(cast("Table", SlateRow.__table__))


class Slates:
    """Keeps slates, and finds them again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, tenant: str, slate: Slate) -> None:
        """Write a new slate."""
        slot = slate.slot
        row = {
            "tenant": tenant,
            "id": slate.id,
            "customer": slate.customer,
            "at": slate.at,
            "model": slate.model,
            "places": [[each.item, each.score, each.propensity] for each in slate.places],
            "position": None if slot is None else slot.position,
            "drawn_from": [] if slot is None else [[each.item, each.score, each.chance] for each in slot.drawn_from],
        }
        async with self._database.session() as session:
            await session.execute(_KEEP, row)

    async def get(self, tenant: str, slate: str, customer: str | None = None) -> Slate:
        """One slate; with a `customer`, only one of theirs. Raises `NotFound`."""
        async with self._database.session() as session:
            row = await session.get(SlateRow, (tenant, slate))
        if row is None or customer not in (None, row.customer):
            raise NotFound(f"no recommendations {slate}", param="slate_id")
        return _slate(row)

    async def drawn(self, tenant: str, since: datetime, most: int) -> AsyncIterator[Slate]:
        """The latest slates, `most` of them at most, that had a place filled by chance since then."""
        wanted = select(SlateRow).where(SlateRow.tenant == tenant, SlateRow.at >= since, SlateRow.position.is_not(None))
        # Ids are in the order of time.
        wanted, before = wanted.order_by(SlateRow.id.desc()), None
        while most > 0:
            page = wanted if before is None else wanted.where(SlateRow.id < before)
            async with self._database.session() as session:
                rows = (await session.scalars(page.limit(min(_PAGE, most)))).all()
            for row in rows:
                yield _slate(row)
            if len(rows) < _PAGE:
                return
            most, before = most - len(rows), rows[-1].id


def _slate(row: SlateRow) -> Slate:
    slot = None
    if row.position is not None:
        slot = Slot(row.position, tuple(Drawable(*each) for each in row.drawn_from))
    return Slate(row.id, row.customer, row.at, row.model, tuple(Place(*each) for each in row.places), slot)
