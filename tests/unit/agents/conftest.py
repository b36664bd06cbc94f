"""The parts of acting on the fake company, with the tables that they need in a SQLite file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database import Base, Database
from tests.fakes.acting import Office

TABLES = ("effects", "audit", "audit_heads", "approvals")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/office.db")
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables[name] for name in TABLES]
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield Office(database)
    await database.close()
