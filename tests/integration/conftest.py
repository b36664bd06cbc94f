"""A database of its own for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from core.database import Database

POSTGRES = os.environ.get("WAYSIDE_TEST_POSTGRES_URL", "postgresql+asyncpg://postgres@127.0.0.1:5432/test")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated, empty database. Where CI is set, a missing PostgreSQL fails the test instead of skipping it."""
    name = f"wayside_{uuid.uuid4().hex}"
    if request.param == "sqlite":
        made = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    else:
        try:
            await _on_postgres(f"CREATE DATABASE {name}")
        except OSError:
            if "CI" in os.environ:
                raise
            pytest.skip(f"no PostgreSQL at {POSTGRES}")
        made = Database(POSTGRES.rsplit("/", 1)[0] + "/" + name)
    await made.migrate()
    yield made
    await made.close()
    if request.param == "postgresql":
        await _on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


async def _on_postgres(statement: str) -> None:
    engine = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
