"""Where LangGraph's checkpoints are kept: in the same database as everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy.engine import make_url

from core.database import SQLITE_PATIENCE
from core.errors import MissingExtra


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
            saver = AsyncSqliteSaver(connection, serde=serde)
            await saver.setup()
            yield saver
        return
    if find_spec("langgraph.checkpoint.postgres") is None:
        raise MissingExtra("langgraph-checkpoint-postgres", "postgres")
    from app.checkpoints_postgres import open_postgres

    async with open_postgres(url, serde) as postgres:
        yield postgres
