"""A SQLite file with the tables that core declares."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import core.audit
import core.registry_tables
import core.reservations  # noqa: F401  (importing a module declares its tables)
from core.database import Base, Database

TABLES = ("effects", "audit", "audit_heads", "models", "model_versions")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/core.db")
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables[name] for name in TABLES]
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield database
    await database.close()
