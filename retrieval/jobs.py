"""The queue of work on documents: one job a document, claimed by compare-and-set, held by a lease.

A worker that dies loses its jobs when their leases run out, or at once when the only worker of a workspace
starts again. All intents for one document go through its one job, so they happen one after the other.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Table, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import Database, now
from retrieval.tables import JobKind, JobRow, JobStatus

UNFINISHED = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)

_JOBS = cast("Table", JobRow.__table__)
# Asked every second, nearly always in vain: built once and asked without the ORM.
_ANY = select(_JOBS.c.id).where(_JOBS.c.status.in_(UNFINISHED)).limit(1)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `id` changes with every new intent for the document; `attempts` counts failed ones before."""

    tenant: str
    document_id: str
    id: str
    kind: JobKind
    attempts: int


class Jobs:
    """The queue as one worker sees it. `lease` is in seconds and must be renewed within that time."""

    def __init__(self, database: Database, *, lease: float = 30.0) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self.lease = lease
        self.worker = secrets.token_hex(8)

    async def put(self, session: AsyncSession, tenant: str, document_id: str, kind: JobKind) -> str:
        """Make this the document's next job, whatever was to be done before, and return the job's id.

        A worker that is at the earlier job learns of it when it finishes. Call `wake` after the commit.
        """
        fresh = {"id": "job_" + secrets.token_hex(8), "kind": kind.value, "done": 0, "total": 0, "attempts": 0}
        renewed = await changed(
            session,
            update(JobRow)
            .where(JobRow.tenant == tenant, JobRow.document_id == document_id)
            .values(
                **fresh,
                status=case((JobRow.status == JobStatus.RUNNING.value, JobRow.status), else_=JobStatus.QUEUED.value),
                created_at=now(),
                started_at=None,
                ended_at=None,
            ),
        )
        if not renewed:
            queued = JobRow(
                tenant=tenant, document_id=document_id, **fresh, status=JobStatus.QUEUED.value, created_at=now()
            )
            session.add(queued)
        return str(fresh["id"])

    async def claim(self, limit: int = 1, only: tuple[str, str] | None = None) -> list[Job]:
        """Take up to `limit` free jobs, the oldest first and moves last, and hold them for `lease` seconds.

        `only` (tenant, document id) asks for the job of one document. Fewer than `limit` does not mean that there
        are no more: another worker may have taken some of those seen.
        """
        taken: list[Job] = []
        async with self._database.session() as session:
            if (await session.execute(_ANY)).first() is None:
                return taken
            query = select(JobRow).where(_free()).order_by(JobRow.kind == JobKind.MOVE.value, JobRow.created_at)
            if only is not None:
                query = query.where(_one(*only))
            taking = {
                "status": JobStatus.RUNNING.value,
                "worker": self.worker,
                "leased_until": now() + timedelta(seconds=self.lease),
                "started_at": now(),
            }
            for seen in await session.scalars(query.limit(limit)):
                ours = update(JobRow).where(_one(seen.tenant, seen.document_id), JobRow.id == seen.id, _free())
                job = Job(seen.tenant, seen.document_id, seen.id, JobKind(seen.kind), seen.attempts)
                if await changed(session, ours.values(taking)):
                    taken.append(job)
        return taken

    async def renew(self) -> None:
        """Hold this worker's jobs for another `lease` seconds."""
        async with self._database.session() as session:
            held = update(JobRow).where(JobRow.worker == self.worker)
            await session.execute(held.values(leased_until=now() + timedelta(seconds=self.lease)))

    async def report(self, job: Job, done: int, total: int) -> None:
        """Record how many of the job's passages are done."""
        async with self._database.session() as session:
            still = update(JobRow).where(_one(job.tenant, job.document_id), JobRow.id == job.id)
            await session.execute(still.values(done=done, total=total))

    async def finish(
        self, session: AsyncSession, job: Job, status: JobStatus, *, attempts: int = 0, total: int = 0
    ) -> bool:
        """End the job, after `total` passages; or, with `QUEUED`, put it back.

        Returns False when a newer intent has taken its place, which is then free, or when the lease was lost.
        """
        let_go: dict[str, Any] = {"worker": None, "leased_until": None}
        held = and_(_one(job.tenant, job.document_id), JobRow.worker == self.worker)
        ended = None if status is JobStatus.QUEUED else now()
        final = update(JobRow).where(held, JobRow.id == job.id)
        outcome = {"status": status.value, "attempts": attempts, "done": total, "total": total, "ended_at": ended}
        if await changed(session, final.values(outcome | let_go)):
            return True
        await session.execute(update(JobRow).where(held).values(status=JobStatus.QUEUED.value, **let_go))
        return False

    async def recover(self, *, everybody: bool) -> None:
        """Free the jobs that this worker holds, or, where there is no other, those that `everybody` held."""
        async with self._database.session() as session:
            running = update(JobRow).where(JobRow.status == JobStatus.RUNNING.value)
            if not everybody:
                running = running.where(JobRow.worker == self.worker)
            await session.execute(running.values(status=JobStatus.QUEUED.value, worker=None, leased_until=None))

    async def unfinished(self, kinds: Sequence[JobKind] = tuple(JobKind)) -> int:
        """Return how many jobs are queued or running."""
        async with self._database.session() as session:
            query = select(func.count()).where(
                JobRow.status.in_(UNFINISHED), JobRow.kind.in_([kind.value for kind in kinds])
            )
            return int(await session.scalar(query) or 0)

    def wake(self) -> None:
        """Tell the worker of this process that there is work."""
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Return when woken, or after `seconds`: other processes queue jobs too."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()


def _one(tenant: str, document_id: str) -> ColumnElement[bool]:
    return and_(JobRow.tenant == tenant, JobRow.document_id == document_id)


def _free() -> ColumnElement[bool]:
    abandoned = and_(JobRow.status == JobStatus.RUNNING.value, JobRow.leased_until < now())
    return or_(JobRow.status == JobStatus.QUEUED.value, abandoned)


async def changed(session: AsyncSession, statement: Any) -> int:
    """Execute an update or a delete, and return how many rows it changed."""
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult), "an update gives a cursor result"  # noqa: S101
    return result.rowcount
