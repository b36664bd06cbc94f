"""The right to write to a thread without a run row: for edits of its state, its deletion, and turns of the chat API."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import exists, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from app import logs
from app.runs.finishing import finished
from app.runs.owner import Owner
from app.runs.queue import HELD
from app.runs.rows import thread_at
from app.runs.tables import UNFINISHED, RunRow, ThreadRow, ThreadStatus
from core.database import Database, now
from core.errors import Conflict

_LOOK_AGAIN = 0.05


@dataclass(slots=True)
class Hold:
    """The right to one thread. `status`, where it is set, is what the thread rests as when the right is given back."""

    status: ThreadStatus | None = None


class Writers:
    """Hands out the right, one holder at a time and never beside an unfinished run.

    `wake` is called when a thread becomes free, for the runs that wait for it.
    """

    def __init__(self, database: Database, wake: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._wake = wake
        self._insert = postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert

    @asynccontextmanager
    async def held(
        self, owner: Owner, thread_id: str, assistant_id: str, *, patience: float = 0.0, beside_later: bool = False
    ) -> AsyncIterator[Hold]:
        """Hold the thread while the block runs; a missing thread is made.

        Two statements: one takes it, one lets go; a block that runs on renews its right. Raises `Conflict` when the
        thread is still busy after `patience` seconds. With `beside_later` a run that is to begin later does not count.
        """
        token = "turn:" + secrets.token_hex(8)
        deadline = monotonic() + patience
        hold = Hold()
        try:
            while not await finished(self._take(owner, thread_id, assistant_id, token, beside_later)):
                if monotonic() >= deadline:
                    raise Conflict("The thread is busy with a run.", code="thread_busy", param="thread_id")
                await asyncio.sleep(_LOOK_AGAIN)
        except asyncio.CancelledError:
            # It may have been taken all the same.
            await finished(self._let_go(owner, thread_id, token, hold))
            self._wake()
            raise
        renewing = asyncio.create_task(self._renewing(owner, thread_id, token))
        try:
            yield hold
        finally:
            renewing.cancel()
            await finished(self._let_go(owner, thread_id, token, hold))
            self._wake()

    async def _take(self, owner: Owner, thread_id: str, assistant_id: str, token: str, beside_later: bool) -> bool:
        moment = now()
        row = {
            "tenant": owner.tenant,
            "owner": owner.name,
            "id": thread_id,
            "assistant_id": assistant_id,
            "labels": {},
            "status": ThreadStatus.IDLE.value,
            "version": 1,
            "writer": token,
            "writer_until": moment + HELD,
            "created_at": moment,
            "updated_at": moment,
        }
        unfinished = exists().where(
            RunRow.tenant == owner.tenant,
            RunRow.owner == owner.name,
            RunRow.thread_id == thread_id,
            RunRow.status.in_(UNFINISHED),
        )
        if beside_later:
            unfinished = unfinished.where(RunRow.not_before <= moment)
        free = or_(ThreadRow.writer.is_(None), ThreadRow.writer_until < moment)
        taking = {"writer": token, "writer_until": row["writer_until"], "version": ThreadRow.version + 1}
        upsert = (
            self._insert(ThreadRow)
            .values(row)
            .on_conflict_do_update(index_elements=["tenant", "owner", "id"], set_=taking, where=free & ~unfinished)
            .returning(ThreadRow.id)
        )
        async with self._database.session() as session:
            return await session.scalar(upsert) is not None

    async def _renewing(self, owner: Owner, thread_id: str, token: str) -> None:
        while True:
            await asyncio.sleep(HELD.total_seconds() / 3)
            try:
                await finished(self._change(owner, thread_id, token, {"writer_until": now() + HELD}))
            except (DBAPIError, OSError) as problem:
                # It is held for two more looks.
                logs.logger.warning("right to a thread not renewed", **logs.describe(problem))

    async def _let_go(self, owner: Owner, thread_id: str, token: str, hold: Hold) -> None:
        moment = now()
        ended: dict[str, Any] = {"writer": None, "writer_until": None, "updated_at": moment, "state_updated_at": moment}
        if hold.status is not None:
            ended["status"] = hold.status.value
        await self._change(owner, thread_id, token, {**ended, "version": ThreadRow.version + 1})

    async def _change(self, owner: Owner, thread_id: str, token: str, values: dict[str, Any]) -> None:
        mine = update(ThreadRow).where(thread_at(owner, thread_id), ThreadRow.writer == token)
        async with self._database.session() as session:
            await session.execute(mine.values(values), execution_options={"synchronize_session": False})
