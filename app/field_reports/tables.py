"""The table of field reports. Their photos and sound lie in the workspace, see `folder.py`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime


class ReportStatus(StrEnum):
    """How far a report is."""

    QUEUED = "queued"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


class FieldReportRow(Base):
    """A report and what it is made of.

    `media` lists photos and notes in the order of capture, see `Medium`. `done` of `total` media are read or heard.
    While a process works on it `worker` is that one's, until `leased_until` unless renewed; `attempts` counts the
    times that somebody began.
    """

    __tablename__ = "field_reports"
    __table_args__ = (Index(None, "tenant", "created_at"), Index(None, "status"))

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    status: Mapped[str]
    site: Mapped[str | None]
    date: Mapped[str | None]
    inspector: Mapped[str | None]
    text: Mapped[str] = mapped_column(Text)
    media: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    done: Mapped[int]
    total: Mapped[int]
    attempts: Mapped[int]
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str | None]
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
