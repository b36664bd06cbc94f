"""One database for everything that is not a vector: SQLite in WAL mode, or PostgreSQL.

Each domain declares its tables beside its own code, on `Base`. Every table's primary key begins with `tenant`
(tables that belong to the installation as a whole, such as keys, carry it as a column). The schema is made by
the migrations in `migrations/`, never by `create_all`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Integer, MetaData, Numeric, TypeDecorator, event, inspect, text
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, always with UTC as its zone; SQLite, which has no zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: whose zone it was in cannot be known."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back what was stored, with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Money(TypeDecorator[Decimal]):
    """An amount with two decimals. SQLite has no decimals and would keep a float, so there it is whole cents."""

    impl = Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use NUMERIC(12, 2), and INTEGER on SQLite."""
        cents: TypeEngine[Any] = Integer() if dialect.name == "sqlite" else Numeric(12, 2)
        return dialect.type_descriptor(cents)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | int | None:
        """Refuse a float, and an amount finer than a cent, with ValueError."""
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite() or value != round(value, 2):
            raise ValueError(f"money must be a Decimal in whole cents, got {value!r}")
        return int(value.scaleb(2)) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Decimal | int | None, dialect: Dialect) -> Decimal | None:
        """Give back a Decimal with two decimals."""
        if value is None:
            return None
        return Decimal(value).scaleb(-2) if dialect.name == "sqlite" else Decimal(value)


SQLITE_PATIENCE = 60_000
"""Milliseconds that a writer of SQLite waits for the one before it. Loading the demo company is one transaction, which
holds the others up for more than ten seconds where the machine is busy: to wait is right, to fail is not."""


class Base(DeclarativeBase):
    """The registry of tables. Constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """A pool of connections and the sessions on it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.engine: AsyncEngine = create_async_engine(dsn, pool_pre_ping=not dsn.startswith("sqlite"))
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with self._sessions.begin() as session:
            yield session

    async def migrate(self) -> None:
        """Bring the schema to the newest revision. Safe to call at every start; does nothing when it is there."""
        if await self.revision() != newest_revision():
            await asyncio.to_thread(_upgrade, self.dsn)

    async def revision(self) -> str | None:
        """The schema's revision, or None for an empty database."""
        async with self.engine.connect() as connection:
            if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
                return None
            found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """WAL lets readers and one writer work side by side; NORMAL is durable against a killed process in WAL mode."""
    cursor = connection.cursor()
    busy = f"busy_timeout={SQLITE_PATIENCE}"
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", busy):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def newest_revision() -> str:
    """The revision that the code needs: migrations are numbered, and their files begin with the number."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def downgrade(dsn: str) -> None:
    """Undo every migration: all tables and what is in them are gone. Blocks until it is done."""
    from alembic import command

    command.downgrade(_alembic(dsn), "base")


def _upgrade(dsn: str) -> None:
    # Importing Alembic takes a third of a second, which a start with nothing to migrate does without.
    from alembic import command

    command.upgrade(_alembic(dsn), "head")


def _alembic(dsn: str) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["dsn"] = dsn
    return config
