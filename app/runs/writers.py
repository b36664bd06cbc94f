"""The right to write to a thread without a run row: for edits of its state, its deletion, and turns of the chat API."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from app.runs.owner import Owner
from app.runs.rows import thread_at
from app.runs.tables import UNFINISHED, RunRow, ThreadRow, ThreadStatus
from core.database import Database, now
from core.errors import Conflict

HELD = timedelta(seconds=60)


class Writers:
    """Hands out the right, one holder at a time and never beside an unfinished run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert

    @asynccontextmanager
    async def held(self, owner: Owner, thread_id: str, assistant_id: str) -> AsyncIterator[None]:
        """Hold the thread while the block runs, for at most `HELD`; a missing thread is made.

        One upsert takes it and one update lets go. Raises `Conflict` when the thread is busy.
        """
        token = "turn:" + secrets.token_hex(8)
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
        free = or_(ThreadRow.writer.is_(None), ThreadRow.writer_until < moment)
        taking = {"writer": token, "writer_until": row["writer_until"], "version": ThreadRow.version + 1}
        upsert = (
            self._insert(ThreadRow)
            .values(row)
            .on_conflict_do_update(index_elements=["tenant", "owner", "id"], set_=taking, where=free & ~unfinished)
            .returning(ThreadRow.id)
        )
        async with self._database.session() as session:
            if await session.scalar(upsert) is None:
                raise Conflict("The thread is busy with a run.", code="thread_busy", param="thread_id")
        try:
            yield
        finally:
            async with self._database.session() as session:
                mine = update(ThreadRow).where(thread_at(owner, thread_id), ThreadRow.writer == token)
                ended: dict[str, Any] = {
                    "writer": None,
                    "writer_until": None,
                    "updated_at": now(),
                    "state_updated_at": now(),
                }
                ended |= {"version": ThreadRow.version + 1}
                await session.execute(mine.values(ended), execution_options={"synchronize_session": False})
