"""Where LangGraph's checkpoints are kept: in the same database as everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any, TypeVar

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy.engine import make_url

from core.database import SQLITE_PATIENCE
from core.errors import MissingExtra

Given = TypeVar("Given")


@asynccontextmanager
async def open_checkpoints(dsn: str) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """A saver on the database that the SQLAlchemy URL names, with its tables made.

    Only message types and plain values are read back (`allowed_msgpack_modules`), so that a tampered database
    cannot make objects. Raises `MissingExtra` for PostgreSQL without the extra `postgres`.
    """
    url = make_url(dsn)
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    if url.get_backend_name() == "sqlite":
        async with aiosqlite.connect(url.database or ":memory:") as connection:
            await connection.execute(f"PRAGMA busy_timeout={SQLITE_PATIENCE}")
            await connection.execute("PRAGMA synchronous=NORMAL")
            saver = WholeWrites(connection, serde=serde)
            await saver.setup()
            yield saver
        return
    if find_spec("langgraph.checkpoint.postgres") is None:
        raise MissingExtra("langgraph-checkpoint-postgres", "postgres")
    from app.checkpoints_postgres import open_postgres

    async with open_postgres(url, serde) as postgres:
        yield postgres


class WholeWrites(AsyncSqliteSaver):
    """A saver whose writes end with their commit, also when whoever asked for them is cancelled meanwhile.

    The one it extends may be cancelled between a statement and its commit; the transaction then stays open, and every
    other writer of the database waits for it in vain.
    """

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint."""
        return await _to_the_end(super().aput(config, checkpoint, metadata, new_versions))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Write what a task gave."""
        await _to_the_end(super().aput_writes(config, writes, task_id, task_path))

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete every checkpoint of a thread."""
        await _to_the_end(super().adelete_thread(thread_id))


async def _to_the_end(write: Coroutine[Any, Any, Given]) -> Given:
    """What `write` gives; a cancellation is passed on once it is done."""
    task = asyncio.ensure_future(write)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as asked:
            cancelled = asked
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # Whoever is cancelled cares for nothing else any more; unread, it would be reported.
        raise cancelled
    return task.result()
