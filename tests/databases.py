"""Databases for one test or one session, on SQLite and on PostgreSQL, migrated and empty, thrown away afterwards."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from core.database import Database

KINDS = {
    "sqlite": "",
    "postgresql": "",
    "postgresql in English": " TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'",
}
"""Databases that can be had, and what is added to the statement that makes one. The last one orders text as a
dictionary does, which is what many companies' databases do."""

POSTGRES = os.environ.get("WAYSIDE_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


@asynccontextmanager
async def throwaway(kind: str, folder: Path) -> AsyncIterator[str]:
    """The DSN of a database for the block. Where WAYSIDE_CI is set, a missing PostgreSQL fails instead of skipping."""
    try:
        dsn = await create(kind, folder)
    except OSError:
        if "WAYSIDE_CI" in os.environ:
            raise
        pytest.skip(f"no PostgreSQL at {POSTGRES}")
    yield dsn
    await drop(dsn)


async def create(kind: str, folder: Path) -> str:
    """Make a database of one of `KINDS` and return its DSN. Raises `OSError` without a server."""
    name = f"wayside_{uuid.uuid4().hex}"
    dsn = f"sqlite+aiosqlite:///{folder / name}.db"
    if kind != "sqlite":
        await _on_postgres(f"CREATE DATABASE {name}{KINDS[kind]}")
        dsn = POSTGRES.rsplit("/", 1)[0] + "/" + name
    made = Database(dsn)
    await made.migrate()
    await made.close()
    return dsn


async def drop(dsn: str) -> None:
    """Take the database away, whoever is still connected to it. A SQLite file goes with its folder."""
    if not dsn.startswith("sqlite"):
        await _on_postgres(f"DROP DATABASE {make_url(dsn).database} WITH (FORCE)")


async def _on_postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
