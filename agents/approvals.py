"""Approvals in the database: proposed once, decided once, each step in the audit log by the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Index, Text, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from agents.decisions import Approval, ApprovalStatus, Decision, DecisionKind, EffectStatus, Vote
from agents.tools.tool import Subject
from core.audit import Audit, Entry
from core.canonical import JSON
from core.database import Base, Database, UtcDateTime, now
from core.errors import NotFound
from core.types import Principal, Role

WAYSIDE = "wayside"
_PREFIX = "apr_"
_DIGITS = 24


class ApprovalRow(Base):
    """An approval. The columns after `expires_at` change, those before never do."""

    __tablename__ = "approvals"
    __table_args__ = (Index(None, "tenant", "created_at"), Index(None, "status", "expires_at"))

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    tool: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    subject: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    thread: Mapped[str]
    owner: Mapped[str]
    proposed_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str]
    assignee: Mapped[str | None]
    quorum: Mapped[int]
    four_eyes: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str]
    votes: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    approved: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    effect: Mapped[str | None]
    outcome: Mapped[Any | None] = mapped_column(sa.JSON(none_as_null=True))


class Approvals:
    """The approvals of every tenant. Those whose time has run out are expired by whoever comes across them."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def propose(self, approval: Approval) -> Approval:
        """Store a pending approval, or return the one that its effect has already."""
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        first = insert(ApprovalRow).values(_row(approval)).on_conflict_do_nothing().returning(ApprovalRow.id)
        async with self._database.session() as session:
            if await session.scalar(first) is None:
                return _approval((await session.scalars(select(ApprovalRow).where(_at(approval)))).one())
            payload: dict[str, JSON] = {
                "tool": approval.tool,
                "arguments": approval.arguments,
                "subject": approval.subject.given(),
                "reason": approval.reason,
                "by": approval.by.value,
                "assignee": approval.assignee,
                "quorum": approval.quorum,
                "expires": approval.expires.isoformat(),
            }
            await self._record(session, approval, approval.proposed_by, "propose", payload)
        return approval

    async def find(self, tenant: str, key: str) -> Approval | None:
        """The approval of the effect with this key, if it needed one."""
        try:
            return await self.get(tenant, approval_id(key))
        except NotFound:
            return None

    async def get(self, tenant: str, approval_id: str, *, owner: str | None = None) -> Approval:
        """Return an approval; with an `owner`, only one of that owner's. Raises `NotFound`."""
        await self._expire(tenant)
        async with self._database.session() as session:
            row = await session.get(ApprovalRow, (tenant, approval_id))
        if row is None or owner not in (None, row.owner):
            raise NotFound(f"no approval {approval_id}", param="approval_id")
        return _approval(row)

    async def decide(self, principal: Principal, approval_id: str, decision: Decision, *, quorum: int = 1) -> Approval:
        """Take the decision down; see `Approval.after` for what it raises, and `NotFound`.

        The first statement locks the row on either database, so that decisions come one after the other.
        """
        await self._expire(principal.tenant)
        ours = and_(ApprovalRow.tenant == principal.tenant, ApprovalRow.id == approval_id)
        async with self._database.session() as session:
            lock = update(ApprovalRow).where(ours).values(status=ApprovalRow.status).returning(ApprovalRow.id)
            if await session.scalar(lock) is None:
                raise NotFound(f"no approval {approval_id}", param="approval_id")
            before = _approval((await session.scalars(select(ApprovalRow).where(ours))).one())
            approval = before.after(decision, principal, now(), quorum)
            if approval is before:
                return before
            row = _row(approval)
            changed = {name: row[name] for name in ("status", "votes", "approved", "decided_at")}
            await session.execute(update(ApprovalRow).where(ours).values(changed))
            payload: dict[str, JSON] = {"text": decision.text, "status": approval.status.value}
            if decision.arguments is not None:
                payload["arguments"] = decision.arguments
            await self._record(session, approval, principal.key_id, decision.kind.value, payload)
        return approval

    async def ended(
        self, session: AsyncSession, tenant: str, key: str, effect: EffectStatus, outcome: JSON
    ) -> Approval | None:
        """Note, in the transaction that ends the effect, how the approved call ended; None if it needed no approval."""
        ours = and_(ApprovalRow.tenant == tenant, ApprovalRow.id == approval_id(key))
        noted = update(ApprovalRow).where(ours).values(effect=effect.value, outcome=outcome)
        row = await session.scalar(noted.returning(ApprovalRow))
        return None if row is None else _approval(row)

    async def outstanding(self, before: datetime, limit: int = 100) -> list[Approval]:
        """Return approved calls of every tenant that were decided `before` and have not ended, the oldest first."""
        query = select(ApprovalRow).where(
            ApprovalRow.status == ApprovalStatus.APPROVED.value,
            ApprovalRow.effect.is_(None),
            ApprovalRow.decided_at < before,
        )
        async with self._database.session() as session:
            rows = await session.scalars(query.order_by(ApprovalRow.decided_at).limit(limit))
            return [_approval(row) for row in rows]

    async def expire(self) -> None:
        """End what waits no longer, whosever it is."""
        await self._expire()

    async def decided(self, after: datetime, before: datetime, limit: int = 500) -> list[Approval]:
        """Return approvals of every tenant that were decided, or ran out, in this time; the latest first."""
        between = (ApprovalRow.decided_at > after, ApprovalRow.decided_at <= before)
        query = select(ApprovalRow).where(*between).order_by(ApprovalRow.decided_at.desc()).limit(limit)
        async with self._database.session() as session:
            return [_approval(row) for row in await session.scalars(query)]

    async def list(
        self,
        tenant: str,
        *,
        status: ApprovalStatus | None = None,
        owner: str | None = None,
        thread: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[Approval]:
        """Return up to `limit` approvals, the latest first, `after` the one with this id. Raises `NotFound` for it."""
        query = select(ApprovalRow).where(ApprovalRow.tenant == tenant).limit(limit)
        query = query.order_by(ApprovalRow.created_at.desc(), ApprovalRow.id.desc())
        if status is not None:
            query = query.where(ApprovalRow.status == status.value)
        if owner is not None:
            query = query.where(ApprovalRow.owner == owner)
        if thread is not None:
            query = query.where(ApprovalRow.thread == thread)
        if after is not None:
            last = await self.get(tenant, after, owner=owner)
            earlier = and_(ApprovalRow.created_at == last.created, ApprovalRow.id < last.id)
            query = query.where(or_(ApprovalRow.created_at < last.created, earlier))
        await self._expire(tenant)
        async with self._database.session() as session:
            return [_approval(row) for row in await session.scalars(query)]

    async def _expire(self, tenant: str | None = None) -> None:
        """End what waits no longer. Looking costs no lock, and there is mostly nothing."""
        due = [ApprovalRow.status == ApprovalStatus.PENDING.value, ApprovalRow.expires_at <= now()]
        if tenant is not None:
            due.append(ApprovalRow.tenant == tenant)
        async with self._database.session() as session:
            if await session.scalar(select(ApprovalRow.id).where(*due).limit(1)) is None:
                return
        async with self._database.session() as session:
            ended = {"status": ApprovalStatus.EXPIRED.value, "decided_at": now()}
            expired = await session.scalars(update(ApprovalRow).where(*due).values(ended).returning(ApprovalRow))
            for row in sorted(expired, key=lambda row: (row.tenant, row.id)):
                await self._record(session, _approval(row), WAYSIDE, "expire", {})

    async def _record(
        self, session: AsyncSession, approval: Approval, actor: str, action: str, payload: Mapping[str, JSON]
    ) -> None:
        entry = Entry(actor, f"approval.{action}", f"approval/{approval.id}", payload)
        await self._audit.append(approval.tenant, entry, session)


def approval_id(key: str) -> str:
    """The id of an effect's approval: one effect, one approval, however often it is proposed."""
    return _PREFIX + key[:_DIGITS]


def _at(approval: Approval) -> ColumnElement[bool]:
    return and_(ApprovalRow.tenant == approval.tenant, ApprovalRow.id == approval.id)


def _row(approval: Approval) -> dict[str, Any]:
    return {
        "tenant": approval.tenant,
        "id": approval.id,
        "key": approval.key,
        "tool": approval.tool,
        "arguments": dict(approval.arguments),
        "subject": approval.subject.given(),
        "thread": approval.thread,
        "owner": approval.owner,
        "proposed_by": approval.proposed_by,
        "reason": approval.reason,
        "decided_by": approval.by.value,
        "assignee": approval.assignee,
        "quorum": approval.quorum,
        "four_eyes": approval.four_eyes,
        "created_at": approval.created,
        "expires_at": approval.expires,
        "status": approval.status.value,
        "votes": [_vote_row(vote) for vote in approval.votes],
        "approved": None if approval.approved is None else dict(approval.approved),
        "decided_at": approval.decided,
        "effect": None if approval.effect is None else approval.effect.value,
        "outcome": approval.outcome,
    }


def _vote_row(vote: Vote) -> dict[str, Any]:
    said = vote.decision
    arguments = None if said.arguments is None else dict(said.arguments)
    return {
        "by": vote.by,
        "at": vote.at.isoformat(),
        "kind": said.kind.value,
        "arguments": arguments,
        "text": said.text,
    }


def _approval(row: ApprovalRow) -> Approval:
    return Approval(
        tenant=row.tenant,
        id=row.id,
        key=row.key,
        tool=row.tool,
        arguments=row.arguments,
        subject=Subject(**row.subject),
        thread=row.thread,
        owner=row.owner,
        proposed_by=row.proposed_by,
        reason=row.reason,
        by=Role(row.decided_by),
        assignee=row.assignee,
        quorum=row.quorum,
        four_eyes=row.four_eyes,
        created=row.created_at,
        expires=row.expires_at,
        status=ApprovalStatus(row.status),
        votes=tuple(
            Vote(
                each["by"],
                datetime.fromisoformat(each["at"]),
                Decision(DecisionKind(each["kind"]), each["arguments"], each["text"]),
            )
            for each in row.votes
        ),
        approved=row.approved,
        decided=row.decided_at,
        effect=None if row.effect is None else EffectStatus(row.effect),
        outcome=row.outcome,
    )
