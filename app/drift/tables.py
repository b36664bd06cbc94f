"""The tables of drift: when each model is looked at next, what was found, and the alerts that have to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime


class DriftWatchRow(Base):
    """When a model is looked at next. Whoever moves the time on, by compare-and-set, looks."""

    __tablename__ = "drift_watches"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(63), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DriftCheckRow(Base):
    """A check that was made, which never changes. `details` is the whole of it (`tabular/drift/results.py`)."""

    __tablename__ = "drift_checks"
    __table_args__ = (Index("ix_drift_checks_model", "tenant", "model", "id"),)

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(63))
    version: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    begin: Mapped[datetime] = mapped_column(UtcDateTime)
    end: Mapped[datetime] = mapped_column(UtcDateTime)
    rows: Mapped[int] = mapped_column(BigInteger)
    matured: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    details: Mapped[bytes] = mapped_column(LargeBinary)


class DriftAlertRow(Base):
    """An alert, with the bytes that are sent. It is due until it was delivered."""

    __tablename__ = "drift_alerts"
    __table_args__ = (Index("ix_drift_alerts_due", "delivered_at", "due_at"),)

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    check_id: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
