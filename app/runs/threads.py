"""Threads: made by their owners, by runs, or by a chat, which leaves only checkpoints until somebody asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from sqlalchemy import case, delete, func, literal, select, tuple_, update

from app.runs.assistants import Assistants
from app.runs.checkpoint_rows import CheckpointRows
from app.runs.ending import is_busy, make, take, unfinished
from app.runs.owner import Owner
from app.runs.rows import runs_of, thread_at
from app.runs.tables import ResumeRow, RunEventRow, RunRow, ThreadRow, ThreadStatus
from app.runs.timelines import Timelines
from app.runs.writers import Writers
from core.database import Database, UtcDateTime, now
from core.errors import Conflict, NotFound

SortBy = Literal["thread_id", "status", "created_at", "updated_at", "state_updated_at"]
_PAGE = 500
# Where LangGraph keeps, beside a checkpoint, that a task of it waits for an answer.
_INTERRUPT = "__interrupt__"


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread as it was read. `status` says `busy` while there is work to do."""

    owner: Owner
    id: str
    assistant_id: str | None
    labels: Mapping[str, Any]
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    state_updated_at: datetime | None

    @property
    def checkpoint_key(self) -> str:
        """The thread's name among LangGraph's checkpoints."""
        return self.owner.checkpoint_key(self.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which threads are looked for. `labels` must all be there, at any depth; None does not ask."""

    labels: Mapping[str, Any] | None = None
    ids: Sequence[str] | None = None
    status: str | None = None
    sort_by: SortBy = "created_at"
    descending: bool = True


class Threads:
    """The threads of every owner; each call is for one."""

    def __init__(
        self,
        database: Database,
        assistants: Assistants,
        saver: BaseCheckpointSaver[Any],
        writers: Writers,
        timelines: Timelines,
    ) -> None:
        self._database = database
        self._assistants = assistants
        self._saver = saver
        self._writers = writers
        self._timelines = timelines
        self._rows = CheckpointRows(database)

    async def get(self, owner: Owner, thread_id: str) -> Thread:
        """The thread. One that a chat made, and that has no row yet, gets it. Raises `NotFound`."""
        found = await self._find(owner, thread_id)
        if found is None and (newest := await self._newest(owner, thread_id)) is not None:
            waits = any(channel == _INTERRUPT for _, channel, _ in newest.pending_writes or ())
            status = ThreadStatus.INTERRUPTED if waits else ThreadStatus.IDLE
            async with self._database.session() as session:
                await make(session, owner, thread_id, assistant_id=self._assistants.first.id, status=status.value)
            found = await self._find(owner, thread_id)
        if found is None:
            raise NotFound(f"There is no thread {thread_id!r}.", param="thread_id")
        return found

    async def create(self, owner: Owner, thread_id: str, labels: Mapping[str, Any], *, must_be_new: bool) -> Thread:
        """Make a thread. Raises `Conflict` when it is there and must not be."""
        chatted = await self._newest(owner, thread_id) is not None
        async with self._database.session() as session:
            made = await make(session, owner, thread_id, labels=dict(labels)) and not chatted
        if not made and must_be_new:
            raise Conflict(f"The thread {thread_id!r} is there already.", code="thread_exists", param="thread_id")
        return await self.get(owner, thread_id)

    async def update(self, owner: Owner, thread_id: str, labels: Mapping[str, Any]) -> Thread:
        """Merge labels into the thread's metadata. Raises `NotFound`."""
        await self.get(owner, thread_id)
        async with self._database.session() as session:
            await take(session, owner, thread_id)
            row = await session.scalar(select(ThreadRow).where(thread_at(owner, thread_id)))
            if row is not None:
                row.labels = {**row.labels, **labels}
                row.updated_at = now()
        return await self.get(owner, thread_id)

    async def page(self, tenant: str, owner: str | None, limit: int, after: tuple[str, str] | None) -> list[Thread]:
        """Up to `limit` threads of the tenant, of one owner or of all, the last used first.

        `after` is the owner and the id of the last one seen. Raises `NotFound` for that one.
        """
        query = _selected().where(ThreadRow.tenant == tenant)
        if owner is not None:
            query = query.where(ThreadRow.owner == owner)
        if after is not None:
            last = await self.get(Owner(tenant, after[0]), after[1])
            here = tuple_(ThreadRow.updated_at, ThreadRow.owner, ThreadRow.id)
            query = query.where(
                here < tuple_(literal(last.updated_at, UtcDateTime), literal(after[0]), literal(after[1]))
            )
        query = query.order_by(ThreadRow.updated_at.desc(), ThreadRow.owner.desc(), ThreadRow.id.desc()).limit(limit)
        async with self._database.session() as session:
            found = (await session.execute(query)).all()
        return [_thread(Owner(tenant, row.owner), row, status) for row, status in found]

    async def search(self, owner: Owner, wanted: Wanted, limit: int, offset: int = 0) -> list[Thread]:
        """A page of the owner's threads."""
        page: list[Thread] = []
        skipped = 0
        async for thread in self._each(owner, wanted):
            if skipped < offset:
                skipped += 1
                continue
            page.append(thread)
            if len(page) == limit:
                break
        return page

    async def count(self, owner: Owner, wanted: Wanted) -> int:
        """How many threads there are."""
        if wanted.labels:
            return sum([1 async for _ in self._each(owner, wanted)])
        query = select(func.count()).select_from(self._query(owner, wanted).subquery())
        async with self._database.session() as session:
            return int(await session.scalar(query) or 0)

    async def delete(self, owner: Owner, thread_id: str) -> None:
        """Remove the thread with its runs and checkpoints. Raises `NotFound`, and `Conflict` while it is busy."""
        thread = await self.get(owner, thread_id)
        async with self._writers.held(owner, thread_id, thread.assistant_id or self._assistants.first.id):
            await self._saver.adelete_thread(thread.checkpoint_key)
            await self._timelines.forget(owner, thread_id)
            async with self._database.session() as session:
                of = select(RunRow.id).where(runs_of(owner, thread_id))
                await session.execute(
                    delete(RunEventRow).where(RunEventRow.tenant == owner.tenant, RunEventRow.run_id.in_(of))
                )
                await session.execute(delete(RunRow).where(runs_of(owner, thread_id)))
                at = (ResumeRow.tenant == owner.tenant, ResumeRow.owner == owner.name, ResumeRow.thread_id == thread_id)
                await session.execute(delete(ResumeRow).where(*at))
                await session.execute(delete(ThreadRow).where(thread_at(owner, thread_id)))

    async def discard(self, owner: Owner, thread_id: str) -> None:
        """Remove a thread that was made for its runs, when no more of them are to come; the runs stay for a while."""
        async with self._database.session() as session:
            if await unfinished(session, owner, thread_id):
                return
        await self._saver.adelete_thread(owner.checkpoint_key(thread_id))
        async with self._database.session() as session:
            await session.execute(delete(ThreadRow).where(thread_at(owner, thread_id)))

    async def copy(self, owner: Owner, thread_id: str, to: str) -> Thread:
        """A new thread with the state and history of this one. Raises `NotFound`, and `Conflict` while it is busy."""
        thread = await self.get(owner, thread_id)
        assistant_id = thread.assistant_id or self._assistants.first.id
        async with self._writers.held(owner, thread_id, assistant_id):
            await self._rows.copy(thread.checkpoint_key, owner.checkpoint_key(to))
            async with self._database.session() as session:
                values = {"labels": dict(thread.labels), "assistant_id": thread.assistant_id, "status": thread.status}
                await make(session, owner, to, **values)
        return await self.get(owner, to)

    async def prune(self, owner: Owner, thread_id: str) -> None:
        """Keep only the newest state. Raises `NotFound`, and `Conflict` while the thread is busy."""
        thread = await self.get(owner, thread_id)
        async with self._writers.held(owner, thread_id, thread.assistant_id or self._assistants.first.id):
            await self._rows.keep_newest(thread.checkpoint_key)

    async def rest(self, owner: Owner, thread_id: str, status: ThreadStatus) -> None:
        """Note what an edited thread rests as."""
        async with self._database.session() as session:
            await session.execute(update(ThreadRow).where(thread_at(owner, thread_id)).values(status=status.value))

    async def _newest(self, owner: Owner, thread_id: str) -> CheckpointTuple | None:
        config = {"configurable": {"thread_id": owner.checkpoint_key(thread_id), "checkpoint_ns": ""}}
        return await self._saver.aget_tuple(config)  # type: ignore[arg-type]

    async def _find(self, owner: Owner, thread_id: str) -> Thread | None:
        query = _selected().where(thread_at(owner, thread_id))
        async with self._database.session() as session:
            found = (await session.execute(query)).one_or_none()
        return _thread(owner, *found) if found is not None else None

    def _query(self, owner: Owner, wanted: Wanted) -> Any:
        query = _selected().where(ThreadRow.tenant == owner.tenant, ThreadRow.owner == owner.name)
        if wanted.ids is not None:
            query = query.where(ThreadRow.id.in_(wanted.ids))
        if wanted.status is not None:
            busy = is_busy(now())
            resting = ThreadRow.status == wanted.status
            query = query.where(busy if wanted.status == ThreadStatus.BUSY else resting & ~busy)
        return query

    async def _each(self, owner: Owner, wanted: Wanted) -> AsyncIterator[Thread]:
        by: Any = _status() if wanted.sort_by == "status" else getattr(ThreadRow, wanted.sort_by.replace("thread_", ""))
        order = (by.desc(), ThreadRow.id.desc()) if wanted.descending else (by.asc(), ThreadRow.id.asc())
        query = self._query(owner, wanted).order_by(*order).limit(_PAGE)
        offset = 0
        while True:
            async with self._database.session() as session:
                found = (await session.execute(query.offset(offset))).all()
            for row, status in found:
                if contains(row.labels, wanted.labels or {}):
                    yield _thread(owner, row, status)
            if len(found) < _PAGE:
                return
            offset += _PAGE


def contains(whole: Any, part: Any) -> bool:
    """Whether `whole` has everything that `part` asks for: objects by their members, everything else as it is."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(name in whole and contains(whole[name], part[name]) for name in part)
    return bool(whole == part)


def _status() -> Any:
    return case((is_busy(now()), literal(ThreadStatus.BUSY.value)), else_=ThreadRow.status)


def _selected() -> Any:
    return select(ThreadRow, _status())


def _thread(owner: Owner, row: ThreadRow, status: str) -> Thread:
    return Thread(
        owner=owner,
        id=row.id,
        assistant_id=row.assistant_id,
        labels=row.labels,
        status=status,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        state_updated_at=row.state_updated_at,
    )
