"""Taking a thread in turn, and ending a run: the same steps for workers, admission and cancelling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from app.runs.encoding import encode
from app.runs.log import number
from app.runs.owner import Owner
from app.runs.rows import Run, runs_of, thread_at
from app.runs.tables import UNFINISHED, ResumeRow, RunRow, RunStatus, ThreadRow, ThreadStatus
from core.database import now


async def take(session: AsyncSession, owner: Owner, thread_id: str, *, seen: int | None = None) -> int | None:
    """Raise the thread's version, which makes everybody else wait until this transaction ends.

    With `seen` it is a compare-and-set: None when the thread has moved on since (or is not there).
    """
    statement = update(ThreadRow).where(thread_at(owner, thread_id))
    if seen is not None:
        statement = statement.where(ThreadRow.version == seen)
    raised = statement.values(version=ThreadRow.version + 1).returning(ThreadRow.version)
    version: int | None = await session.scalar(raised.execution_options(synchronize_session=False))
    return version


async def make(session: AsyncSession, owner: Owner, thread_id: str, **values: Any) -> bool:
    """Make the thread's row unless it is there; returns whether it was made."""
    moment = now()
    row = {
        "tenant": owner.tenant,
        "owner": owner.name,
        "id": thread_id,
        "assistant_id": None,
        "labels": {},
        "status": ThreadStatus.IDLE.value,
        "version": 0,
        "created_at": moment,
        "updated_at": moment,
        **values,
    }
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    made = insert(ThreadRow).values(row).on_conflict_do_nothing().returning(ThreadRow.id)
    return await session.scalar(made) is not None


def is_busy(moment: datetime) -> ColumnElement[bool]:
    """Whether a thread has work to do: an unfinished run, or a turn or edit that holds it."""
    unfinished = exists().where(
        RunRow.tenant == ThreadRow.tenant,
        RunRow.owner == ThreadRow.owner,
        RunRow.thread_id == ThreadRow.id,
        RunRow.status.in_(UNFINISHED),
    )
    return unfinished | and_(ThreadRow.writer.is_not(None), ThreadRow.writer_until > moment)


async def end(
    session: AsyncSession,
    run: Run,
    status: RunStatus,
    event: tuple[str, bytes],
    *,
    output: bytes | None = None,
    reason: str | None = None,
    thread: ThreadStatus | None = None,
    worker: tuple[str, int] | None = None,
) -> bool:
    """End the run with its last event, and let go of the thread, which must have been taken in this transaction.

    With `worker` (its id and attempt) only if that worker still has it. False when the run is not to be ended.
    """
    mine = [RunRow.worker == worker[0], RunRow.attempt == worker[1]] if worker else []
    if not await number(session, run.tenant, run.id, [event], RunRow.ended_at.is_(None), *mine):
        return False
    moment = now()
    this = and_(RunRow.tenant == run.tenant, RunRow.id == run.id)
    outcome = {"status": status.value, "output": output, "cancel_reason": reason}
    await _execute(
        session,
        update(RunRow)
        .where(this)
        .values(**outcome, ended_at=moment, updated_at=moment, worker=None, leased_until=None),
    )
    values: dict[str, Any] = {"writer": None, "writer_until": None, "updated_at": moment}
    if thread is not None:
        values |= {"status": thread.value, "state_updated_at": moment}
    at = thread_at(run.owner, run.thread_id)
    await _execute(session, update(ThreadRow).where(at, ThreadRow.writer == run.id).values(values))
    if status is RunStatus.INTERRUPTED and reason is not None:
        # What it was to answer was perhaps not answered: the interrupt may be answered again.
        await forget_resumes(session, run)
    return True


async def forget_resumes(session: AsyncSession, run: Run) -> None:
    """Forget which interrupts the run answered."""
    await _execute(session, delete(ResumeRow).where(ResumeRow.tenant == run.tenant, ResumeRow.run_id == run.id))


async def stop(session: AsyncSession, run: Run, action: str, reason: str) -> None:
    """Stop an unfinished run: at once when nobody works at it, else by asking its worker to."""
    if run.status == RunStatus.PENDING:
        last = ("end", encode({"run_id": run.id, "status": RunStatus.INTERRUPTED.value}))
        await end(session, run, RunStatus.INTERRUPTED, last, reason=reason)
    else:
        this = and_(RunRow.tenant == run.tenant, RunRow.id == run.id, RunRow.ended_at.is_(None))
        await _execute(session, update(RunRow).where(this).values(cancel=action, cancel_reason=reason))


async def unfinished(session: AsyncSession, owner: Owner, thread_id: str) -> list[Run]:
    """The thread's unfinished runs, in the order in which they were admitted."""
    query = select(RunRow).where(runs_of(owner, thread_id), RunRow.status.in_(UNFINISHED)).order_by(RunRow.position)
    return [Run.of(row) for row in await session.scalars(query)]


async def _execute(session: AsyncSession, statement: Any) -> None:
    await session.execute(statement, execution_options={"synchronize_session": False})
