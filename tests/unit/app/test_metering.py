from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.metering import ApiUsage, Metering
from core.database import Database
from core.types import Principal, Role, Usage
from tests.fakes.echoing import MODEL
from tests.fakes.gateway import Gateway, gateway

CALLER = Principal("key_a", "harbor", Role.CLIENT)


async def test_sums_grow_over_flushes(served: Gateway) -> None:
    metering = Metering(served.parts.database)
    for _ in range(2):
        metering.record(CALLER, "m", Usage(3, 4))
        metering.record(CALLER, "m", Usage(3, 4))
        await metering.flush()
    async with served.parts.database.session() as session:
        row = (await session.scalars(select(ApiUsage).where(ApiUsage.key_id == "key_a"))).one()
    assert (row.requests, row.prompt_tokens, row.completion_tokens) == (4, 12, 16)
    assert row.day == datetime.now(UTC).date()
    assert await metering.tokens_today("key_a") == 28
    assert await metering.tokens_today("key_b") == 0


async def test_what_cannot_be_written_stays_counted(tmp_path: Path, served: Gateway) -> None:
    broken = Database(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    metering = Metering(broken)
    metering.record(CALLER, "m", Usage(3, 4))
    with pytest.raises(DBAPIError):
        await metering.flush()
    metering.record(CALLER, "m", Usage(1, 1))
    assert list(metering._pending.values()) == [[2, 4, 5]]
    await broken.close()


async def test_usage_is_written_when_the_gateway_stops(tmp_path: Path, template: Path) -> None:
    async with gateway(tmp_path, template) as served:
        assert (await served.chat("one two three")).status_code == 200
    database = Database(served.parts.settings.database_dsn)
    async with database.session() as session:
        row = (await session.scalars(select(ApiUsage))).one()
    assert (row.model, row.requests, row.prompt_tokens) == (MODEL, 1, 3)
    await database.close()
