"""Feedback in the database: what people think of an answer or a suggestion, and what it should have been.

One row a person, thing and kind of correction (a rating and a comment by themselves are a kind too): who says it again
replaces what they said. What they said before is in the audit log, by the same transaction; the log cannot be
shortened, so personal data is masked there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, Text, and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from agents.corrections import Kind, Rating
from agents.masking import masked
from core.audit import Audit, Entry
from core.canonical import JSON, canonical
from core.database import Base, Database, UtcDateTime, now
from core.errors import Forbidden, NotFound
from core.types import Principal, Role

RATING = "rating"
"""The kind of feedback that corrects nothing."""

_PREFIX = "fbk_"
_DIGITS = 24


class FeedbackRow(Base):
    """What one person said about one thing."""

    __tablename__ = "feedback"
    __table_args__ = (Index(None, "tenant", "created_at"), Index(None, "tenant", "about_kind", "about_id"))

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    author: Mapped[str]
    role: Mapped[str]
    about_kind: Mapped[str]
    about_id: Mapped[str]
    kind: Mapped[str]
    rating: Mapped[str | None]
    correction: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    comment: Mapped[str | None] = mapped_column(Text)
    snapshot: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class About:
    """The thing that feedback is about."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says: at least one of the three. `kind` is the correction's, or `RATING` where there is none."""

    kind: str
    rating: Rating | None
    correction: Mapping[str, JSON] | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one person said about one thing, and what the thing was then.

    `author` is whose threads they have too (`customer:CUS-00210`, `key:key_…`), `role` their key's. `snapshot` was
    looked up when it was said: `text` (the question, or the ticket's subject and message) and more.
    """

    tenant: str
    id: str
    author: str
    role: Role
    about: About
    said: Said
    snapshot: Mapping[str, JSON]
    created: datetime
    updated: datetime


class FeedbackStore:
    """The feedback of every tenant."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def put(
        self, principal: Principal, author: str, about: About, said: Said, snapshot: Mapping[str, JSON]
    ) -> Feedback:
        """Store it in place of what the author said of this kind about this before."""
        moment = now()
        row = {
            "tenant": principal.tenant,
            "id": feedback_id(principal.tenant, author, about, said.kind),
            "author": author,
            "role": principal.role.value,
            "about_kind": about.kind.value,
            "about_id": about.id,
            "kind": said.kind,
            "rating": said.rating and said.rating.value,
            "correction": said.correction and dict(said.correction),
            "comment": said.comment,
            "snapshot": dict(snapshot),
            "created_at": moment,
            "updated_at": moment,
        }
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        again = {name: row[name] for name in ("role", "rating", "correction", "comment", "snapshot", "updated_at")}
        upsert = insert(FeedbackRow).values(row).on_conflict_do_update(index_elements=["tenant", "id"], set_=again)
        async with self._database.session() as session:
            stored = _feedback((await session.scalars(upsert.returning(FeedbackRow))).one())
            action = "give" if stored.created == stored.updated else "replace"
            await self._audit.append(principal.tenant, _entry(principal, action, stored), session)
        return stored

    async def get(self, tenant: str, feedback_id: str) -> Feedback:
        """Return one. Raises `NotFound`."""
        async with self._database.session() as session:
            row = await session.get(FeedbackRow, (tenant, feedback_id))
        if row is None:
            raise NotFound(f"no feedback {feedback_id}", param="feedback_id")
        return _feedback(row)

    async def list(
        self,
        tenant: str,
        *,
        kind: Kind | None = None,
        about_id: str | None = None,
        rating: Rating | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[Feedback]:
        """Return up to `limit`, the latest first, `after` the one with this id. Raises `NotFound` for it."""
        query = select(FeedbackRow).where(FeedbackRow.tenant == tenant).limit(limit)
        query = query.order_by(FeedbackRow.created_at.desc(), FeedbackRow.id.desc())
        if kind is not None:
            query = query.where(FeedbackRow.about_kind == kind.value)
        if about_id is not None:
            query = query.where(FeedbackRow.about_id == about_id)
        if rating is not None:
            query = query.where(FeedbackRow.rating == rating.value)
        if after is not None:
            last = await self.get(tenant, after)
            earlier = and_(FeedbackRow.created_at == last.created, FeedbackRow.id < last.id)
            query = query.where(or_(FeedbackRow.created_at < last.created, earlier))
        async with self._database.session() as session:
            return [_feedback(row) for row in await session.scalars(query)]

    async def remove(self, principal: Principal, author: str, feedback_id: str) -> None:
        """Take it away: the author may, and an admin. Raises `NotFound`; `Forbidden` for other staff."""
        found = await self.get(principal.tenant, feedback_id)
        if author != found.author and principal.role is not Role.ADMIN:
            if principal.role is Role.CLIENT:
                # That others said something is none of a client's business.
                raise NotFound(f"no feedback {feedback_id}", param="feedback_id")
            raise Forbidden("feedback is taken back by who gave it, or by an admin")
        ours = and_(FeedbackRow.tenant == principal.tenant, FeedbackRow.id == feedback_id)
        async with self._database.session() as session:
            row = await session.scalar(delete(FeedbackRow).where(ours).returning(FeedbackRow))
            if row is None:
                raise NotFound(f"no feedback {feedback_id}", param="feedback_id")
            await self._audit.append(principal.tenant, _entry(principal, "remove", _feedback(row)), session)


def feedback_id(tenant: str, author: str, about: About, kind: str) -> str:
    """The id of what this author says of this kind about this thing: one thing said, one row, however often."""
    said = canonical([tenant, author, about.kind.value, about.id, kind])
    return _PREFIX + hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]


def _entry(principal: Principal, action: str, feedback: Feedback) -> Entry:
    said = feedback.said
    payload: dict[str, JSON] = {
        "about": {"kind": feedback.about.kind.value, "id": feedback.about.id},
        "rating": said.rating and said.rating.value,
        "correction": _without_persons(said.correction),
        "comment": said.comment and masked(said.comment),
    }
    return Entry(principal.key_id, f"feedback.{action}", f"feedback/{feedback.id}", payload)


def _without_persons(value: JSON) -> JSON:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: _without_persons(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_persons(each) for each in value]
    return value


def _feedback(row: FeedbackRow) -> Feedback:
    return Feedback(
        tenant=row.tenant,
        id=row.id,
        author=row.author,
        role=Role(row.role),
        about=About(Kind(row.about_kind), row.about_id),
        said=Said(row.kind, None if row.rating is None else Rating(row.rating), row.correction, row.comment),
        snapshot=row.snapshot,
        created=row.created_at,
        updated=row.updated_at,
    )
