from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from agents.records import CustomerRecord, OrderLineRecord, OrderRecord, SaleRecord, TransactionRecord
from app.demo.company import Company
from app.demo.load import RECORDS, articles, load_records
from core.database import Base, Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/records.db")
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables[record.__tablename__] for record in RECORDS]
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def small(company: Company) -> Company:
    """The company with the sales of three products only: a row a day each is slow to write."""
    return replace(company, sales=company.sales[:3], transactions=company.transactions[:1000])


async def test_every_record_is_stored_and_read_back_as_it_was(database: Database, small: Company) -> None:
    counts = await load_records(database, "acme", small)
    lines = sum(len(order.lines) for order in small.orders)
    assert counts == {
        "suppliers": 12,
        "products": 300,
        "customers": 600,
        "orders": 2500,
        "order_lines": lines,
        "sales": 3 * 730,
        "tickets": 60,
        "transactions": 1000,
    }
    order = next(order for order in small.orders if order.id == "ORD-10421")
    async with database.session() as session:
        stored = await session.get_one(OrderRecord, ("acme", "ORD-10421"))
        line = await session.get_one(OrderLineRecord, ("acme", "ORD-10421", 1))
        units = await session.scalar(select(func.sum(SaleRecord.units)))
        spent = await session.scalar(select(func.sum(TransactionRecord.amount)))
    assert (stored.placed, stored.delivered, stored.total) == (order.placed, order.delivered, order.total)
    assert stored.status == order.status
    assert (line.sku, line.quantity, line.unit_price) == (
        order.lines[0].sku,
        order.lines[0].quantity,
        order.lines[0].unit_price,
    )
    assert units == sum(sum(series.units) for series in small.sales)
    assert spent == sum((use.amount for use in small.transactions), Decimal(0))


async def test_loading_again_does_nothing(database: Database, small: Company) -> None:
    first = await load_records(database, "acme", small)
    again = await load_records(database, "acme", small)
    async with database.session() as session:
        customers = await session.scalar(select(func.count()).select_from(CustomerRecord))
    assert set(again.values()) == {0}
    assert customers == first["customers"]


async def test_each_tenant_has_records_of_its_own(database: Database, small: Company) -> None:
    bare = replace(small, orders=(), tickets=(), transactions=(), sales=())
    await load_records(database, "acme", bare)
    counts = await load_records(database, "borealis", bare)
    assert counts["customers"] == 600
    async with database.session() as session:
        tenants = await session.scalars(select(CustomerRecord.tenant).distinct().order_by(CustomerRecord.tenant))
        assert tenants.all() == ["acme", "borealis"]


def test_articles_are_found_by_name() -> None:
    names = [path.name for path in articles()]
    assert "returns-policy.md" in names
    assert names == sorted(names)
