"""The gateway around fakes, on a SQLite file of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Database
from tests.fakes.gateway import Gateway, gateway


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with the newest schema: copying it is faster than migrating."""
    path = tmp_path_factory.mktemp("template") / "wayside.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await database.migrate()
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def served(tmp_path: Path, template: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path, template) as running:
        yield running
