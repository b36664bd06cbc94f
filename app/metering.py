"""What each key used, by day and model, for bills and quotas. Counted in memory, written in batches."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from app import logs
from core.database import Base, Database
from core.types import Principal, Usage

FLUSH_SECONDS = 2.0


class ApiUsage(Base):
    """The sum of one key's requests and tokens on one UTC day with one model."""

    __tablename__ = "api_usage"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)


_Cell = tuple[str, str, date, str]


class Metering:
    """Adds up usage off the hot path. A killed process loses at most the last `FLUSH_SECONDS`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pending: dict[_Cell, list[int]] = {}

    def record(self, principal: Principal, model: str, usage: Usage) -> None:
        """Count one request. Touches memory only."""
        cell = (principal.tenant, principal.key_id, datetime.now(UTC).date(), model)
        sums = self._pending.setdefault(cell, [0, 0, 0])
        sums[0] += 1
        sums[1] += usage.prompt_tokens
        sums[2] += usage.completion_tokens

    async def tokens_today(self, key_id: str) -> int:
        """Tokens that the database says the key has used since midnight UTC."""
        total = func.coalesce(func.sum(ApiUsage.prompt_tokens + ApiUsage.completion_tokens), 0)
        today = datetime.now(UTC).date()
        async with self._database.session() as session:
            spent = await session.scalar(select(total).where(ApiUsage.key_id == key_id, ApiUsage.day == today))
        return int(spent or 0)

    async def flush(self) -> None:
        """Write what was counted so far. What could not be written stays counted, for the next flush."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        rows = [_row(cell, sums) for cell, sums in pending.items()]
        try:
            async with self._database.session() as session:
                await session.execute(_add(self._database.engine.dialect.name), rows)
        except BaseException:
            for cell, sums in pending.items():
                counted = self._pending.setdefault(cell, [0, 0, 0])
                counted[:] = [old + new for old, new in zip(counted, sums, strict=True)]
            raise

    async def run(self) -> None:
        """Flush every `FLUSH_SECONDS` until cancelled. A database that is away is reported and waited for."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except (DBAPIError, OSError) as error:
                logs.logger.warning("usage not written", **logs.describe(error))


def _row(cell: _Cell, sums: list[int]) -> dict[str, Any]:
    tenant, key_id, day, model = cell
    return {
        "tenant": tenant,
        "key_id": key_id,
        "day": day,
        "model": model,
        "requests": sums[0],
        "prompt_tokens": sums[1],
        "completion_tokens": sums[2],
    }


def _add(dialect: str) -> Any:
    """An upsert that adds to the row. Both dialects spell it alike, in classes of their own."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(ApiUsage)
    sums = {
        name: getattr(ApiUsage, name) + statement.excluded[name]
        for name in ("requests", "prompt_tokens", "completion_tokens")
    }
    return statement.on_conflict_do_update(index_elements=["tenant", "key_id", "day", "model"], set_=sums)
