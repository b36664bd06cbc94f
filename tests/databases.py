"""Databases for one test or one session, on SQLite and on PostgreSQL, thrown away afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.database import Database

POSTGRES = os.environ.get("WAYSIDE_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


@asynccontextmanager
async def throwaway(kind: str, folder: Path) -> AsyncIterator[str]:
    """The DSN of a migrated, empty database. Where CI is set, a missing PostgreSQL fails instead of skipping."""
    name = f"wayside_{uuid.uuid4().hex}"
    if kind == "sqlite":
        dsn = f"sqlite+aiosqlite:///{folder / 'wayside.db'}"
    else:
        try:
            await _on_postgres(f"CREATE DATABASE {name}")
        except OSError:
            if "CI" in os.environ:
                raise
            pytest.skip(f"no PostgreSQL at {POSTGRES}")
        dsn = POSTGRES.rsplit("/", 1)[0] + "/" + name
    database = Database(dsn)
    await database.migrate()
    await database.close()
    yield dsn
    if kind == "postgresql":
        await _on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


async def _on_postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
