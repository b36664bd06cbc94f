"""How SQLite goes about the questions that the code asks: by which index, and whether it has to sort."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from core.database import Database
from tests.databases import throwaway


@dataclass(slots=True)
class Asked:
    """A question to the database."""

    statement: str
    parameters: tuple[Any, ...]


@asynccontextmanager
async def on_sqlite(folder: Path) -> AsyncIterator[Database]:
    """A migrated, empty database of SQLite's."""
    async with throwaway("sqlite", folder) as dsn:
        made = Database(dsn)
        yield made
        await made.close()


@contextmanager
def asked(database: Database, *beginnings: str) -> Iterator[list[Asked]]:
    """Collect what is selected, or every statement that begins so."""
    found: list[Asked] = []

    def hear(_: object, __: object, statement: str, parameters: tuple[Any, ...], *___: object) -> None:
        if statement.startswith(beginnings or "SELECT"):
            found.append(Asked(statement, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", hear)


async def plans(database: Database, found: list[Asked]) -> list[str]:
    """The plan of each question, its steps joined."""
    made = []
    async with database.engine.connect() as connection:
        for each in found:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.statement}", each.parameters)
            made.append("; ".join(str(row[-1]) for row in rows))
    return made
