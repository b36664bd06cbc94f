"""Admission: what becomes of a request for a run. One transaction decides, in turn with all others of the thread.

In this order: a known `Idempotency-Key` finds its run; an answered interrupt finds the run that answered it; then the
multitask strategy decides between the new run and the unfinished ones.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.runs.ending import make, stop, take, unfinished
from app.runs.log import Signals
from app.runs.owner import Owner
from app.runs.resuming import Resumption, Waiting, first_answer, remember
from app.runs.rows import Run, runs_of, thread_at
from app.runs.tables import RunRow, RunStatus, ThreadRow
from core.database import Database, now
from core.errors import Conflict, KeyReused, NotFound
from core.types import Principal

Strategy = Literal["reject", "enqueue", "interrupt", "rollback"]
Action = Literal["interrupt", "rollback"]
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Order:
    """A request for a run, checked.

    `request` is what the worker needs (see `app.runs.execution`). `create` makes the thread when it is missing;
    `ephemeral` removes it when the run has ended. `key` and `fingerprint` are the `Idempotency-Key` and the SHA-256 of
    the request that came with it. `condition` looks at the thread in the deciding transaction, and raises what speaks
    against a new run.
    """

    principal: Principal
    thread_id: str
    assistant_id: str
    request: Mapping[str, Any]
    labels: Mapping[str, Any] = field(default_factory=dict)
    strategy: Strategy = "enqueue"
    create: bool = False
    ephemeral: bool = False
    after_seconds: float = 0.0
    key: str | None = None
    fingerprint: str | None = None
    resumption: Resumption | None = None
    condition: Callable[[AsyncSession], Awaitable[None]] | None = None


class Admission:
    """Decides, writes the run row, and tells the workers."""

    def __init__(self, database: Database, signals: Signals, wake: Callable[[], None]) -> None:
        self._database = database
        self._signals = signals
        self._wake = wake

    async def admit(self, order: Order) -> Run:
        """The run for this order: a new one, or the one that it repeats.

        Raises `NotFound` without the thread, `Conflict` when the thread is busy and the strategy rejects, or when
        there is no such interrupt, `KeyReused`, and what the order's condition raises.
        """
        for _ in range(_TRIES):
            stopped: list[Run] = []
            waiting = await order.resumption.read() if order.resumption is not None else None
            try:
                async with self._database.session() as session:
                    run = await self._decide(session, order, waiting, stopped)
            except IntegrityError:
                # The same key was admitted on another thread between our look and our insert: look again.
                continue
            if run is not None:
                for each in stopped:
                    self._signals.ended(each.id)
                self._wake()
                return run
        raise Conflict("The thread changes too quickly: try again.", code="thread_busy")

    async def _decide(
        self, session: AsyncSession, order: Order, waiting: Waiting | None, stopped: list[Run]
    ) -> Run | None:
        """None when the thread moved on since the order's interrupts were read."""
        owner, resumption = Owner.of(order.principal), order.resumption
        if order.create:
            await make(session, owner, order.thread_id, assistant_id=order.assistant_id)
        version = await take(session, owner, order.thread_id, seen=waiting.version if waiting else None)
        if version is None and waiting is None:
            raise NotFound(f"There is no thread {order.thread_id!r}.", param="thread_id")
        if version is None:
            return None
        known = await _of_key(session, order) if order.key is not None else None
        if known is None and resumption is not None and waiting is not None:
            known = await first_answer(session, owner, order.thread_id, resumption, waiting.interrupts)
        if known is not None:
            # Nothing was admitted, so nobody else has to look again.
            await session.rollback()
            return known
        if order.condition is not None:
            await order.condition(session)
        if resumption is not None and waiting is not None:
            order = replace(order, request={**order.request, "resume": resumption.matched(waiting.interrupts)})
        await self._make_room(session, order, owner, stopped)
        run = await self._insert(session, order, owner, version)
        if resumption is not None:
            await remember(session, owner, order.thread_id, list(run.request["resume"]), run.id)
        return run

    async def _make_room(self, session: AsyncSession, order: Order, owner: Owner, stopped: list[Run]) -> None:
        if order.strategy == "enqueue":
            return
        others = await unfinished(session, owner, order.thread_id)
        if order.strategy == "reject":
            held = select(ThreadRow.id).where(
                thread_at(owner, order.thread_id), ThreadRow.writer.is_not(None), ThreadRow.writer_until > now()
            )
            if others or await session.scalar(held) is not None:
                raise Conflict("The thread is busy with another run.", code="thread_busy", param="multitask_strategy")
            return
        for other in others:
            await stop(session, other, order.strategy, f"{order.strategy} by a newer run")
            stopped.append(other)

    async def _insert(self, session: AsyncSession, order: Order, owner: Owner, version: int) -> Run:
        moment = now()
        row = RunRow(
            tenant=owner.tenant,
            id=str(uuid.uuid4()),
            owner=owner.name,
            thread_id=order.thread_id,
            assistant_id=order.assistant_id,
            position=version,
            status=RunStatus.PENDING.value,
            request=dict(order.request),
            labels=dict(order.labels),
            strategy=order.strategy,
            ephemeral=order.ephemeral,
            key_id=order.principal.key_id,
            role=order.principal.role.value,
            customer_id=order.principal.customer_id,
            idempotency_key=order.key,
            fingerprint=order.fingerprint,
            not_before=_later(moment, order.after_seconds),
            attempt=0,
            events=0,
            created_at=moment,
            updated_at=moment,
        )
        session.add(row)
        await session.flush()
        values = {"assistant_id": order.assistant_id, "updated_at": moment}
        await session.execute(update(ThreadRow).where(thread_at(owner, order.thread_id)).values(values))
        return Run.of(row)

    async def cancel(self, owner: Owner, thread_id: str, run_id: str, action: Action) -> None:
        """Stop a run, wherever it is worked at. Raises `NotFound`, and `Conflict` when it has ended."""
        async with self._database.session() as session:
            await take(session, owner, thread_id)
            row = await session.scalar(select(RunRow).where(runs_of(owner, thread_id), RunRow.id == run_id))
            if row is None:
                raise NotFound(f"There is no run {run_id!r}.", param="run_id")
            if row.ended_at is not None:
                raise Conflict(f"The run has ended: {row.status}.", code="run_ended", param="run_id")
            await stop(session, Run.of(row), action, f"cancelled: {action}")
        self._signals.ended(run_id)
        self._wake()


async def _of_key(session: AsyncSession, order: Order) -> Run | None:
    query = select(RunRow).where(
        RunRow.tenant == order.principal.tenant,
        RunRow.key_id == order.principal.key_id,
        RunRow.idempotency_key == order.key,
    )
    row = await session.scalar(query)
    if row is None:
        return None
    if row.fingerprint != order.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    return Run.of(row)


def _later(moment: datetime, seconds: float) -> datetime:
    return moment + timedelta(seconds=seconds)
