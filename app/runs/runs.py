"""Everything about runs behind one door: admission, log, threads, states, timelines, crons, and what was run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from sqlalchemy import delete, select

from app.runs.admission import Admission
from app.runs.assistants import Assistants
from app.runs.checkpoint_rows import CheckpointRows
from app.runs.crons import Crons
from app.runs.ending import forget_resumes, take
from app.runs.finishing import finished
from app.runs.log import EventLog, Signals, wait
from app.runs.owner import Owner
from app.runs.queue import LEASE, Queue
from app.runs.resuming import Waiting
from app.runs.rows import Run, runs_by, runs_of
from app.runs.states import States
from app.runs.tables import RunEventRow, RunRow, ThreadRow
from app.runs.threads import Threads
from app.runs.timelines import TimelineRow, Timelines
from app.runs.writers import Writers
from core.database import Database, now
from core.errors import Conflict, NotFound
from core.types import Principal

KEPT = timedelta(hours=24)  # how long runs of discarded threads can be read, and their Idempotency-Keys repeated
_DISCARDED = timedelta(minutes=1)  # by then whoever ended a run that keeps no thread has discarded it


class Runs:
    """The parts, made for one database. `sole` says that no other process works on it; `lease` is in seconds.

    `poll` is how often, in seconds, a reader looks for what other processes write.
    """

    def __init__(
        self,
        database: Database,
        assistants: Assistants,
        saver: BaseCheckpointSaver[Any],
        *,
        sole: bool,
        lease: float = LEASE,
        poll: float = 0.25,
    ) -> None:
        self._database = database
        self._poll = poll
        self.sole = sole
        self.assistants = assistants
        self.signals = Signals()
        self.queue = Queue(database, lease=lease)
        self.log = EventLog(database, self.signals, poll=poll)
        self.rows = CheckpointRows(database)
        self.timelines = Timelines(database)
        self.writers = Writers(database, self.queue.wake)
        self.threads = Threads(database, assistants, saver, self.writers, self.timelines)
        self.states = States(assistants, self.threads, self.writers)
        self.admission = Admission(database, self.signals, self.queue.wake)
        self.crons = Crons(database, self.admission)

    async def get(self, owner: Owner, thread_id: str, run_id: str) -> Run:
        """The run. Raises `NotFound`."""
        query = select(RunRow).where(runs_of(owner, thread_id), RunRow.id == run_id)
        async with self._database.session() as session:
            row = await session.scalar(query)
        if row is None:
            raise NotFound(f"There is no run {run_id!r}.", param="run_id")
        return Run.of(row)

    async def find(self, owner: Owner, run_id: str) -> Run:
        """The owner's run, on whichever thread. Raises `NotFound`."""
        query = select(RunRow).where(runs_by(owner), RunRow.id == run_id)
        async with self._database.session() as session:
            row = await session.scalar(query)
        if row is None:
            raise NotFound(f"There is no run {run_id!r}.", param="run_id")
        return Run.of(row)

    async def page(self, owner: Owner, thread_id: str, *, limit: int, offset: int, status: str | None) -> list[Run]:
        """A page of the thread's runs, newest first. Raises `NotFound` without the thread."""
        await self.threads.get(owner, thread_id)
        query = select(RunRow).where(runs_of(owner, thread_id)).order_by(RunRow.position.desc())
        if status is not None:
            query = query.where(RunRow.status == status)
        async with self._database.session() as session:
            return [Run.of(row) for row in await session.scalars(query.limit(limit).offset(offset))]

    async def unfinished(self, owner: Owner, thread_id: str | None, statuses: tuple[str, ...]) -> Sequence[Run]:
        """The owner's runs in these statuses, on one thread or on all."""
        query = select(RunRow).where(RunRow.tenant == owner.tenant, RunRow.owner == owner.name)
        query = query.where(RunRow.status.in_(statuses))
        if thread_id is not None:
            query = query.where(RunRow.thread_id == thread_id)
        async with self._database.session() as session:
            return [Run.of(row) for row in await session.scalars(query.order_by(RunRow.position))]

    async def ended(self, run: Run) -> Run:
        """Wait for the run's end. Raises `NotFound` when it is deleted meanwhile."""
        with self.signals.waiting(f"{run.id}/end") as signal:
            while True:
                signal.clear()
                run = await finished(self.get(run.owner, run.thread_id, run.id))
                if run.ended_at is not None:
                    return run
                await wait(signal, self._poll)

    async def delete(self, owner: Owner, thread_id: str, run_id: str) -> None:
        """Remove an ended run; its thread's state stays. Raises `NotFound`, `Conflict` for an unfinished one."""
        async with self._database.session() as session:
            await take(session, owner, thread_id)
            row = await session.scalar(select(RunRow).where(runs_of(owner, thread_id), RunRow.id == run_id))
            if row is None:
                raise NotFound(f"There is no run {run_id!r}.", param="run_id")
            if row.ended_at is None:
                raise Conflict("The run is unfinished: cancel it first.", code="run_unfinished", param="run_id")
            await forget_resumes(session, Run.of(row))
            await session.execute(
                delete(RunEventRow).where(RunEventRow.tenant == owner.tenant, RunEventRow.run_id == run_id)
            )
            await session.delete(row)

    def waiting(self, principal: Principal, thread_id: str) -> Callable[[], Awaitable[Waiting]]:
        """What reads a thread's version, and then the interrupts that wait on it."""

        async def read() -> Waiting:
            thread = await self.threads.get(Owner.of(principal), thread_id)
            # The version first: whatever moves the thread on after it makes admission look again.
            return Waiting(thread.version, await self.states.interrupts(thread))

        return read

    async def sweep(self) -> None:
        """Discard threads whose process died before it could, and forget their runs that ended more than `KEPT` ago."""
        kept = (
            select(ThreadRow.id)
            .where(ThreadRow.tenant == RunRow.tenant, ThreadRow.owner == RunRow.owner, ThreadRow.id == RunRow.thread_id)
            .exists()
        )
        past = (RunRow.ephemeral.is_(True), RunRow.ended_at < now() - _DISCARDED)
        async with self._database.session() as session:
            left = await session.execute(
                select(RunRow.tenant, RunRow.owner, RunRow.thread_id).where(*past, kept).limit(1000)
            )
        for tenant, owner, thread_id in left.all():
            await self.threads.discard(Owner(tenant, owner), thread_id)
        old = (RunRow.ephemeral.is_(True), RunRow.ended_at < now() - KEPT, ~kept)
        async with self._database.session() as session:
            rows = (await session.execute(select(RunRow.tenant, RunRow.id).where(*old).limit(1000))).all()
            for tenant, run_id in rows:
                events = delete(RunEventRow).where(RunEventRow.tenant == tenant, RunEventRow.run_id == run_id)
                await session.execute(events)
                told = delete(TimelineRow).where(TimelineRow.tenant == tenant, TimelineRow.id == run_id)
                await session.execute(told)
                await session.execute(delete(RunRow).where(RunRow.tenant == tenant, RunRow.id == run_id))
