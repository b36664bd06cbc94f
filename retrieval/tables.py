"""The tables of documents, of the work on them, and of the index generations that they are in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime


class DocumentStatus(StrEnum):
    """Where a document stands. Searches find its last ready revision until the next one is ready.

    `indexing` is never stored: it is a queued document whose job runs.
    """

    QUEUED = "queued"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"


class JobKind(StrEnum):
    """What is to be done to a document: index its content, copy it to the generation being built, or forget it."""

    INDEX = "index"
    MOVE = "move"
    DELETE = "delete"


class JobStatus(StrEnum):
    """Where a job stands. `running` holds for as long as its lease."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class GenerationStatus(StrEnum):
    """Searches use the one active generation; at most one is building; a retired one is being taken down."""

    BUILDING = "building"
    ACTIVE = "active"
    RETIRED = "retired"


class DocumentRow(Base):
    """A document. `source` is its identity outside (a path, a URL); `sha256` and `bytes` are of its content."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("tenant", "source"),)

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    filename: Mapped[str]
    media_type: Mapped[str | None]
    title: Mapped[str]
    audience: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int]
    characters: Mapped[int]
    passages: Mapped[int]
    status: Mapped[str]
    error: Mapped[str | None]
    revision: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContentRow(Base):
    """A document's bytes as they were uploaded, apart from the row that lists read."""

    __tablename__ = "document_contents"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "document_id"], ["documents.tenant", "documents.id"], ondelete="CASCADE"),
    )

    tenant: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class JobRow(Base):
    """The one job of a document. A new intent takes over the row under a new `id`, by which a worker that is
    still at the old one notices. `done` and `total` count passages; `leased_until` is when `worker` loses it."""

    __tablename__ = "ingest_jobs"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "document_id"], ["documents.tenant", "documents.id"], ondelete="CASCADE"),
        Index(None, "status", "created_at"),
    )

    tenant: Mapped[str] = mapped_column(primary_key=True)
    document_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    attempts: Mapped[int]
    worker: Mapped[str | None]
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class GenerationRow(Base):
    """An index of all documents under one embedding model: `model` is its name, `id` its fingerprint.

    Belongs to the installation, not to a tenant.
    """

    __tablename__ = "index_generations"

    id: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
