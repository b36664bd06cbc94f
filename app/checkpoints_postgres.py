"""LangGraph's checkpoints in PostgreSQL (extra `postgres`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.engine import URL


@asynccontextmanager
async def open_postgres(url: URL, serde: SerializerProtocol) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """A saver on a pool of at most eight connections to the URL's database."""
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    # What the saver asks of its connections: autocommit for its migrations, rows as dictionaries.
    async with AsyncConnectionPool[AsyncConnection[dict[str, Any]]](
        conninfo,
        min_size=1,
        max_size=8,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    ) as pool:
        saver = AsyncPostgresSaver(pool, serde=serde)
        await saver.setup()
        yield saver
