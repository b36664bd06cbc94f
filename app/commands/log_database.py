"""The workspace's database with the event log, for commands that fill it or learn from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.database import Database
from core.settings import Settings


@asynccontextmanager
async def log_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, migrated; the workspace is made where it is missing."""
    settings.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_dsn)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()
