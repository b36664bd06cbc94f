"""Rows as the rest of the program sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_

from app.runs.owner import Owner
from app.runs.tables import RunRow, ThreadRow
from core.types import Principal, Role


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was read."""

    tenant: str
    id: str
    owner: Owner
    thread_id: str
    assistant_id: str
    status: str
    request: Mapping[str, Any]
    labels: Mapping[str, Any]
    strategy: str
    ephemeral: bool
    principal: Principal
    attempt: int
    cancel: str | None
    cancel_reason: str | None
    base: str | None
    output: bytes | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: RunRow) -> Run:
        """The row as a value."""
        return cls(
            tenant=row.tenant,
            id=row.id,
            owner=Owner(row.tenant, row.owner),
            thread_id=row.thread_id,
            assistant_id=row.assistant_id,
            status=row.status,
            request=row.request,
            labels=row.labels,
            strategy=row.strategy,
            ephemeral=row.ephemeral,
            principal=Principal(row.key_id, row.tenant, Role(row.role), row.customer_id),
            attempt=row.attempt,
            cancel=row.cancel,
            cancel_reason=row.cancel_reason,
            base=row.base,
            output=row.output,
            created_at=row.created_at,
            updated_at=row.updated_at,
            ended_at=row.ended_at,
        )

    @property
    def checkpoint_key(self) -> str:
        """The thread's name among LangGraph's checkpoints."""
        return self.owner.checkpoint_key(self.thread_id)


def thread_at(owner: Owner, thread_id: str) -> ColumnElement[bool]:
    """The thread's row: the one place where tenant and owner of a thread are filtered."""
    return and_(ThreadRow.tenant == owner.tenant, ThreadRow.owner == owner.name, ThreadRow.id == thread_id)


def runs_by(owner: Owner) -> ColumnElement[bool]:
    """The owner's runs: the one place where tenant and owner of a run are filtered."""
    return and_(RunRow.tenant == owner.tenant, RunRow.owner == owner.name)


def runs_of(owner: Owner, thread_id: str) -> ColumnElement[bool]:
    """The runs of one of the owner's threads."""
    return and_(runs_by(owner), RunRow.thread_id == thread_id)
