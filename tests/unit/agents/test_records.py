from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import StatementError
from sqlalchemy.schema import CreateTable

from agents.records import SupplierRecord
from core.database import Base, Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/money.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=[Base.metadata.tables["suppliers"]])
    yield database
    await database.close()


def _supplier(number: int, minimum: object) -> SupplierRecord:
    return SupplierRecord(
        tenant="acme",
        id=f"SUP-{number:02}",
        name="Mill",
        country="IE",
        lead_time_days=7,
        minimum_order=minimum,
        pack_size=1,
        payment_days=30,
    )


async def test_money_comes_back_as_it_was_and_adds_up_exactly(database: Database) -> None:
    async with database.session() as session:
        session.add_all([_supplier(number, Decimal("0.10")) for number in range(3)])
        session.add(_supplier(9, Decimal("9999999999.99")))
    async with database.session() as session:
        small = SupplierRecord.minimum_order < Decimal("0.11")
        assert await session.scalar(select(func.sum(SupplierRecord.minimum_order)).where(small)) == Decimal("0.30")
        assert (await session.get_one(SupplierRecord, ("acme", "SUP-09"))).minimum_order == Decimal("9999999999.99")
        stored = await session.scalars(text("SELECT DISTINCT typeof(minimum_order) FROM suppliers"))
        assert stored.all() == ["integer"]


@pytest.mark.parametrize("amount", [0.1, Decimal("0.105"), Decimal("NaN"), "12.00"])
async def test_anything_but_whole_cents_is_refused(database: Database, amount: object) -> None:
    with pytest.raises(StatementError, match="money must be a Decimal in whole cents"):
        async with database.session() as session:
            session.add(_supplier(1, amount))


def test_postgresql_keeps_money_as_numeric() -> None:
    table = Base.metadata.tables["suppliers"]
    assert "minimum_order NUMERIC(12, 2) NOT NULL" in str(
        CreateTable(table).compile(dialect=make_url("postgresql://").get_dialect()())
    )
