"""The timeline of each turn, for the people who look into it: what was asked and said, and every step in between.

Written in batches off the hot path: a killed process loses what the last `FLUSH_SECONDS` brought. The audit log, which
loses nothing, tells what took effect; this tells how it came about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Double, Index, Text, and_, delete, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from app import logs
from app.runs.encoding import plain
from app.runs.ending import make
from app.runs.finishing import finished
from app.runs.owner import Owner
from app.runs.steps import Steps
from app.runs.tables import ThreadStatus
from core.database import Base, Database, UtcDateTime
from core.errors import NotFound

FLUSH_SECONDS = 0.5
CHAT, RUN = "chat", "run"
_BATCH = 200
_TOLD_ANEW = ("answer", "status", "steps", "ms", "declined", "engine", "prompt_tokens", "completion_tokens")


class TimelineRow(Base):
    """One turn. `steps` are `app.runs.steps.Step`s; `heading` is where reception sent it."""

    __tablename__ = "timelines"
    __table_args__ = (Index(None, "tenant", "owner", "thread_id", "started_at"), Index(None, "tenant", "started_at"))

    tenant: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    thread_id: Mapped[str]
    source: Mapped[str]
    assistant: Mapped[str]
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    declined: Mapped[bool]
    heading: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    engine: Mapped[str]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    status: Mapped[str]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    ms: Mapped[float] = mapped_column(Double)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A turn as it went. `source` says which door it came through: `chat` or `run`.

    `status` is `success`, `interrupted` (people are to decide on something) or `error` (it failed, or was cancelled).
    `ms` is how long it took.
    """

    tenant: str
    id: str
    owner: str
    thread_id: str
    source: str
    assistant: str
    question: str
    answer: str
    declined: bool
    heading: dict[str, Any] | None
    engine: str
    prompt_tokens: int
    completion_tokens: int
    status: str
    steps: list[dict[str, Any]]
    ms: float
    started_at: datetime

    @classmethod
    def of(
        cls,
        owner: Owner,
        thread_id: str,
        turn_id: str,
        steps: Steps,
        *,
        source: str,
        assistant: str,
        question: str,
        failed: bool = False,
    ) -> Timeline:
        """The timeline of a turn that has come to its end."""
        answer = steps.answer
        status = "error" if failed else "interrupted" if steps.waits else "success"
        return cls(
            tenant=owner.tenant,
            id=turn_id,
            owner=owner.name,
            thread_id=thread_id,
            source=source,
            assistant=assistant,
            question=question,
            answer=answer.text if answer else "",
            declined=answer.declined if answer else False,
            heading=dict(steps.heading) if steps.heading is not None else None,
            engine=answer.engine if answer else "",
            prompt_tokens=answer.usage.prompt_tokens if answer else 0,
            completion_tokens=answer.usage.completion_tokens if answer else 0,
            status=status,
            steps=plain([asdict(step) for step in steps.steps]),
            ms=steps.ms,
            started_at=steps.began,
        )


class Timelines:
    """Keeps and finds timelines. Every look is within one tenant, and within one owner where one is named."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: list[Timeline] = []
        self._writing = asyncio.Lock()
        self._insert = postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert

    def record(self, timeline: Timeline) -> None:
        """Keep a finished turn. Touches memory only."""
        self._pending.append(timeline)

    async def get(self, tenant: str, turn_id: str, owner: str | None = None) -> Timeline:
        """The turn's timeline; with an `owner`, only one of that owner's. Raises `NotFound`."""
        await finished(self.flush())
        async with self._database.session() as session:
            row = await session.get(TimelineRow, (tenant, turn_id))
        if row is None or owner not in (None, row.owner):
            raise NotFound(f"There is no turn {turn_id!r}.", param="turn_id")
        return _timeline(row)

    async def page(
        self,
        tenant: str,
        *,
        owner: str | None = None,
        thread_id: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> list[Timeline]:
        """Up to `limit` timelines, the latest first, `after` the one with this id. Raises `NotFound` for that one."""
        await finished(self.flush())
        where: list[ColumnElement[bool]] = [TimelineRow.tenant == tenant]
        if owner is not None:
            where.append(TimelineRow.owner == owner)
        if thread_id is not None:
            where.append(TimelineRow.thread_id == thread_id)
        if after is not None:
            last = await self.get(tenant, after, owner)
            same = and_(TimelineRow.started_at == last.started_at, TimelineRow.id < last.id)
            where.append(or_(TimelineRow.started_at < last.started_at, same))
        query = select(TimelineRow).where(*where)
        query = query.order_by(TimelineRow.started_at.desc(), TimelineRow.id.desc()).limit(limit)
        async with self._database.session() as session:
            return [_timeline(row) for row in await session.scalars(query)]

    async def last_asked(self, tenant: str, threads: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """The last question of each thread, by its owner's name and its id."""
        numbered = (
            select(
                TimelineRow.owner,
                TimelineRow.thread_id,
                TimelineRow.question,
                func.row_number()
                .over(partition_by=(TimelineRow.owner, TimelineRow.thread_id), order_by=TimelineRow.started_at.desc())
                .label("place"),
            )
            .where(
                TimelineRow.tenant == tenant,
                TimelineRow.question != "",
                tuple_(TimelineRow.owner, TimelineRow.thread_id).in_(threads),
            )
            .subquery()
        )
        query = select(numbered.c.owner, numbered.c.thread_id, numbered.c.question).where(numbered.c.place == 1)
        async with self._database.session() as session:
            return {(owner, thread): question for owner, thread, question in await session.execute(query)}

    async def forget(self, owner: Owner, thread_id: str) -> None:
        """Remove every timeline of the thread."""
        await finished(self.flush())
        here = (TimelineRow.tenant == owner.tenant, TimelineRow.owner == owner.name, TimelineRow.thread_id == thread_id)
        async with self._database.session() as session:
            await session.execute(delete(TimelineRow).where(*here))

    async def flush(self) -> None:
        """Write what has come. What could not be written stays, for the next time."""
        async with self._writing:
            while self._pending:
                batch = self._pending[:_BATCH]
                await self._write(batch)
                del self._pending[: len(batch)]

    async def run(self) -> None:
        """Flush every `FLUSH_SECONDS` until cancelled. A database that is away is reported and waited for."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await finished(self.flush())
            except (DBAPIError, OSError) as error:
                logs.logger.warning("timelines not written", **logs.describe(error))

    async def _write(self, batch: Sequence[Timeline]) -> None:
        statement = self._insert(TimelineRow)
        # A run that was taken over tells its turn anew; one that had come to its end before has nothing to add.
        told = {column: statement.excluded[column] for column in _TOLD_ANEW}
        upsert = statement.on_conflict_do_update(index_elements=["tenant", "id"], set_=told)
        async with self._database.session() as session:
            if anew := [_row(each) for each in batch if each.steps]:
                await session.execute(upsert, anew)
            if silent := [_row(each) for each in batch if not each.steps]:
                await session.execute(statement.on_conflict_do_nothing(), silent)
            for each in batch:
                if each.source != CHAT:
                    continue
                # A chat on a new thread leaves only checkpoints; here it gets the row by which it is listed.
                status = ThreadStatus.INTERRUPTED if each.status == "interrupted" else ThreadStatus.IDLE
                await make(session, Owner(each.tenant, each.owner), each.thread_id, status=status.value)


def _row(timeline: Timeline) -> dict[str, Any]:
    row = {column: getattr(timeline, column) for column in Timeline.__slots__}
    # PostgreSQL stores no NUL, and one such question would keep everybody's timelines from being written.
    return row | {column: row[column].replace("\0", "\ufffd") for column in ("question", "answer")}


def _timeline(row: TimelineRow) -> Timeline:
    return Timeline(**{column: getattr(row, column) for column in Timeline.__slots__})
