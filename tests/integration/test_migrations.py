"""The migrations make exactly the tables that the code declares, on both databases, and undo them again."""

from __future__ import annotations

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import app.gateway
import app.wiring  # noqa: F401  (what the gateway imports declares every table)
from core.database import MIGRATIONS, Base, Database, UtcDateTime, downgrade, newest_revision


def _differences(connection: Connection) -> list[object]:
    own = {table.name for table in Base.metadata.sorted_tables}

    def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
        return kind != "table" or name in own

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
    differences: list[object] = compare_metadata(context, Base.metadata)
    return differences


async def test_migrations_and_tables_agree(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_migrated_database_has_the_newest_revision(database: Database) -> None:
    assert await database.revision() == newest_revision()
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [newest_revision()]


async def test_everything_can_be_undone(database: Database) -> None:
    await asyncio.to_thread(downgrade, database.dsn)
    async with database.engine.connect() as connection:
        left = await connection.run_sync(lambda sync: sync.dialect.get_table_names(sync))
    assert set(left) <= {"alembic_version"}


def test_a_naive_time_is_refused() -> None:
    from datetime import datetime

    from sqlalchemy.dialects import sqlite

    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), sqlite.dialect())  # noqa: DTZ001
