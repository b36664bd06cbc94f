"""Writes a run's events behind the graph's back, as many at once as have come."""

from __future__ import annotations

import asyncio
from types import TracebackType

from app.runs.encoding import encode
from app.runs.log import EventLog, Held


class Recorder:
    """Collects events in order; they are in the log when the block has ended. What writing raised is raised."""

    def __init__(self, log: EventLog, held: Held, key: str, thread_id: str) -> None:
        self._log = log
        self._held = held
        # Checkpoints and metadata name the thread as it is kept; its owner knows it by its own id.
        self._names = (encode(key), encode(thread_id))
        self._pending: list[tuple[str, bytes]] = []
        self._there = asyncio.Event()
        self._closed = False

    async def add(self, name: str, value: object) -> None:
        """Take in one event. Raises `LeaseLost` when an earlier one could not be written."""
        if self._writing.done():
            await self._writing
        self._pending.append((name, encode(value).replace(*self._names)))
        self._there.set()

    async def __aenter__(self) -> Recorder:
        """Begin to write."""
        self._writing = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Write the rest."""
        self._closed = True
        self._there.set()
        await self._writing

    async def _write(self) -> None:
        while not self._closed or self._pending:
            await self._there.wait()
            self._there.clear()
            batch, self._pending = self._pending, []
            if batch:
                await self._log.append(self._held, batch)
