"""What is kept of a federation: its terms and weights, who takes part, its rounds, and who was drawn for the open one.

Who was drawn, and what they sent, is kept only as long as their round is open: that a device was not known to be in a
sample is what the accounting rests on.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime
from core.errors import NotFound
from tabular.federated.plan import Plan
from tabular.federated.task import Task


class State(StrEnum):
    """Devices may enrol from the beginning; `done` when the rounds or the budget are used up, `stopped` by somebody."""

    CREATED = "created"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class FederationRow(Base):
    """A federation. `round` is the one that is open, or the last; `weights` are what that round began with.

    `evaluated` counts the public rows of `evaluation`, which is read by `public_rows` only: devices ask often.
    `locked` grows with every change: its update is the lock of whoever changes the federation.
    """

    __tablename__ = "federations"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    about: Mapped[str] = mapped_column(sa.Text)
    task: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    plan: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    noise: Mapped[float] = mapped_column(sa.Double)
    evaluation: Mapped[list[dict[str, str]] | None] = mapped_column(
        sa.JSON(none_as_null=True), deferred=True, deferred_raiseload=True
    )
    evaluated: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), index=True)
    round: Mapped[int]
    spent: Mapped[float] = mapped_column(sa.Double)
    weights: Mapped[bytes] = mapped_column(LargeBinary)
    locked: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_why: Mapped[str | None] = mapped_column(String(200))

    @property
    def terms(self) -> tuple[Task, Plan]:
        """The task and the plan."""
        return Task.model_validate(self.task), Plan.model_validate(self.plan)


class DeviceRow(Base):
    """A device that takes part. It is known by the principal whose key it has, so that each counts once."""

    __tablename__ = "federation_devices"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    federation: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(128), primary_key=True)
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RoundRow(Base):
    """A round. `epsilon` is what all rounds up to it cost, written when it opens; `weights` is the model it made."""

    __tablename__ = "federation_rounds"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    federation: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epsilon: Mapped[float] = mapped_column(sa.Double)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    drawn: Mapped[int]
    answered: Mapped[int | None]
    accuracy: Mapped[float | None] = mapped_column(sa.Double)
    weights: Mapped[bytes | None] = mapped_column(LargeBinary)


class DrawRow(Base):
    """A device that was drawn for the open round, and its update, clipped, once it has come."""

    __tablename__ = "federation_draws"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    federation: Mapped[str] = mapped_column(String(64), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    device: Mapped[str] = mapped_column(String(128), primary_key=True)
    update: Mapped[bytes | None] = mapped_column(LargeBinary)


async def found(session: AsyncSession, tenant: str, name: str) -> FederationRow:
    """The federation as it is now. Raises `NotFound`."""
    row = await session.get(FederationRow, (tenant, name), populate_existing=True)
    if row is None:
        raise NotFound(f"no federation {name}", param="name")
    return row


async def public_rows(session: AsyncSession, row: FederationRow) -> list[dict[str, str]]:
    """The rows that anybody may have, on which the federation's models are measured."""
    ours = FederationRow.tenant == row.tenant, FederationRow.name == row.name
    return await session.scalar(sa.select(FederationRow.evaluation).where(*ours)) or []


async def locked(session: AsyncSession, tenant: str, name: str) -> FederationRow:
    """The federation, for this transaction alone to change. Raises `NotFound`."""
    ours = FederationRow.tenant == tenant, FederationRow.name == name
    await session.execute(sa.update(FederationRow).where(*ours).values(locked=FederationRow.locked + 1))
    return await found(session, tenant, name)
