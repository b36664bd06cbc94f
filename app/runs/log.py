"""The event log of runs: numbered from 1, written before anybody sees it, read by any number from any number.

Readers in this process are woken at once; a run that another process carries is looked at every `poll` seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.runs.fence import LeaseLost
from app.runs.finishing import finished
from app.runs.tables import RunEventRow, RunRow
from core.database import Database

LAST = ("end", "error")
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its number within the run, the protocol's name for it, and its JSON."""

    number: int
    name: str
    data: bytes

    @property
    def is_last(self) -> bool:
        """Whether the run says no more."""
        return self.name in LAST


@dataclass(frozen=True, slots=True)
class Held:
    """A run as the worker that carries it knows it. `attempt` fences: a later attempt is another worker's."""

    tenant: str
    run_id: str
    worker: str
    attempt: int


class Signals:
    """Wakes those who wait for something about a run, within this process: its events (`id`) or its end (`id/end`)."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def send(self, topic: str) -> None:
        """Wake everybody who waits for this."""
        for event in self._waiting.get(topic, ()):
            event.set()

    def ended(self, run_id: str) -> None:
        """Wake everybody who waits for the run's events or for its end."""
        self.send(run_id)
        self.send(f"{run_id}/end")

    @contextmanager
    def waiting(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the topic's signal is sent while the block runs."""
        event = asyncio.Event()
        self._waiting[topic].add(event)
        try:
            yield event
        finally:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]


class EventLog:
    """Appends and reads events."""

    def __init__(self, database: Database, signals: Signals, *, poll: float = 0.25) -> None:
        self._database = database
        self._signals = signals
        self._poll = poll

    async def append(self, held: Held, events: Sequence[tuple[str, bytes]]) -> None:
        """Write events for the worker that holds the run. Raises `LeaseLost` when it does not any more."""
        async with self._database.session() as session:
            mine = (
                RunRow.tenant == held.tenant,
                RunRow.id == held.run_id,
                RunRow.worker == held.worker,
                RunRow.attempt == held.attempt,
            )
            if not await number(session, held.tenant, held.run_id, events, *mine):
                raise LeaseLost("another worker has this run")
        self._signals.send(held.run_id)

    async def read(self, tenant: str, run_id: str, after: int, limit: int = _PAGE) -> list[Event]:
        """Events with a number above `after`, in order, at most `limit`."""
        query = (
            select(RunEventRow.number, RunEventRow.name, RunEventRow.data)
            .where(RunEventRow.tenant == tenant, RunEventRow.run_id == run_id, RunEventRow.number > after)
            .order_by(RunEventRow.number)
            .limit(limit)
        )
        async with self._database.session() as session:
            return [Event(*row) for row in await session.execute(query)]

    async def follow(self, tenant: str, run_id: str, after: int = 0) -> AsyncIterator[Event]:
        """Every event above `after`, those to come included, until the run's last one.

        Ends early when the run is deleted.
        """
        with self._signals.waiting(run_id) as signal:
            while True:
                signal.clear()
                events = await finished(self.read(tenant, run_id, after))
                for event in events:
                    yield event
                    if event.is_last:
                        return
                    after = event.number
                if events:
                    continue
                if await finished(self._is_over(tenant, run_id, after)):
                    return
                await wait(signal, self._poll)

    async def _is_over(self, tenant: str, run_id: str, after: int) -> bool:
        query = select(RunRow.events, RunRow.ended_at).where(RunRow.tenant == tenant, RunRow.id == run_id)
        async with self._database.session() as session:
            row = (await session.execute(query)).one_or_none()
        return row is None or (row.ended_at is not None and row.events <= after)


async def number(
    session: AsyncSession, tenant: str, run_id: str, events: Sequence[tuple[str, bytes]], *where: object
) -> bool:
    """Add events under the next numbers, in the caller's transaction; False when `where` does not hold for the run."""
    reserved = (
        update(RunRow)
        .where(RunRow.tenant == tenant, RunRow.id == run_id, *where)  # type: ignore[arg-type]
        .values(events=RunRow.events + len(events))
        .returning(RunRow.events)
        .execution_options(synchronize_session=False)
    )
    last = await session.scalar(reserved)
    if last is None:
        return False
    first = last - len(events) + 1
    rows = [
        {"tenant": tenant, "run_id": run_id, "number": first + i, "name": name, "data": data}
        for i, (name, data) in enumerate(events)
    ]
    await session.execute(insert(RunEventRow), rows)
    return True


async def wait(signal: asyncio.Event, seconds: float) -> None:
    """Return when the signal is set, or after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await signal.wait()
    except TimeoutError:
        return
