"""Threads, their runs, the runs' events, and which interrupts were answered."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime


class RunStatus(StrEnum):
    """How far a run is, in the words of langgraph-sdk. The first two are unfinished."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    INTERRUPTED = "interrupted"


UNFINISHED = (RunStatus.PENDING.value, RunStatus.RUNNING.value)


class ThreadStatus(StrEnum):
    """What a thread is doing, in the words of langgraph-sdk."""

    IDLE = "idle"
    BUSY = "busy"
    INTERRUPTED = "interrupted"
    ERROR = "error"


class ThreadRow(Base):
    """A thread of one owner. Its state lies in LangGraph's checkpoints under `Owner.checkpoint_key`.

    `version` counts what was admitted; every admission, claim and end of a run begins by raising it, which is what
    puts them one after another. `writer` is the run, turn or edit that may write checkpoints now; a turn's or an
    edit's right ends at `writer_until`, a run's with the run's own lease.
    """

    __tablename__ = "threads"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    assistant_id: Mapped[str | None]
    labels: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    status: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    writer: Mapped[str | None]
    writer_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RunRow(Base):
    """A run. It outlives its thread, so that a repeated request still finds its answer.

    `position` orders the runs of a thread. `events` is the number of the last event. `base` is the thread's newest
    checkpoint when the run began ('' for none): what a rollback returns to, and what tells a take-over whether the
    run's input has reached a checkpoint. `cancel` asks the worker to stop (`interrupt` or `rollback`). `output` is
    the state's values at the end, as JSON.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("tenant", "key_id", "idempotency_key", name="uq_runs_tenant_key_id_idempotency_key"),
        Index("ix_runs_tenant_owner_thread_id_position", "tenant", "owner", "thread_id", "position"),
        Index("ix_runs_status_created_at", "status", "created_at"),
    )

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    thread_id: Mapped[str]
    assistant_id: Mapped[str]
    position: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    labels: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    strategy: Mapped[str]
    ephemeral: Mapped[bool]
    key_id: Mapped[str]
    role: Mapped[str]
    customer_id: Mapped[str | None]
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str | None]
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    worker: Mapped[str | None]
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempt: Mapped[int]
    events: Mapped[int] = mapped_column(BigInteger)
    cancel: Mapped[str | None]
    cancel_reason: Mapped[str | None]
    base: Mapped[str | None]
    output: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RunEventRow(Base):
    """One event of a run, numbered from 1 without gaps. `data` is the JSON that every reader gets, byte for byte."""

    __tablename__ = "run_events"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ResumeRow(Base):
    """Which run answered an interrupt: the first that was admitted."""

    __tablename__ = "run_resumes"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    thread_id: Mapped[str] = mapped_column(primary_key=True)
    interrupt_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str]
