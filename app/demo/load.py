"""Puts the demo company into a tenant's tables, and finds its articles."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from agents.records import (
    CustomerRecord,
    OrderLineRecord,
    OrderRecord,
    ProductRecord,
    SaleRecord,
    SupplierRecord,
    TicketRecord,
    TransactionRecord,
)
from core.database import Base

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.ext.asyncio import AsyncSession

    from app.demo.company import Company
    from app.demo.orders import Order
    from app.demo.sales import ProductSales
    from core.database import Database

ARTICLES = Path(__file__).with_name("articles")

BATCH = 1_000
"""Rows per statement: enough to be fast, few enough not to hold up the event loop while they are prepared."""

RECORDS: tuple[type[Base], ...] = (
    SupplierRecord,
    ProductRecord,
    CustomerRecord,
    OrderRecord,
    OrderLineRecord,
    SaleRecord,
    TicketRecord,
    TransactionRecord,
)
"""The tables in an order in which each refers to earlier ones only."""


async def load_records(database: Database, tenant: str, company: Company) -> dict[str, int]:
    """Insert the company's records for `tenant` in one transaction; return the rows inserted by table.

    Does nothing, and returns zeros, when the tenant has a record in any of the tables. Raises DBAPIError
    when another process loads the same tenant at the same time; nothing of this call is kept then.
    """
    counts = {record.__tablename__: 0 for record in RECORDS}
    async with database.session() as session:
        if await _has_records(session, tenant):
            return counts
        for record, rows in _rows(company):
            while batch := [{"tenant": tenant, **row} for row in islice(rows, BATCH)]:
                await session.execute(insert(Base.metadata.tables[record.__tablename__]), batch)
                counts[record.__tablename__] += len(batch)
    return counts


def articles() -> Iterator[Path]:
    """Yield the shipped help-centre articles, by name."""
    yield from sorted(ARTICLES.glob("*.md"))


async def has_records(database: Database, tenant: str) -> bool:
    """Whether the tenant has a record in any of the tables."""
    async with database.session() as session:
        return await _has_records(session, tenant)


async def _has_records(session: AsyncSession, tenant: str) -> bool:
    for record in RECORDS:
        table = Base.metadata.tables[record.__tablename__]
        if (await session.execute(select(table.c.tenant).where(table.c.tenant == tenant).limit(1))).first():
            return True
    return False


def _rows(company: Company) -> Iterator[tuple[type[Base], Iterator[dict[str, Any]]]]:
    """Pair each table with its rows, in the order of `RECORDS`."""
    plain = {
        SupplierRecord: company.suppliers,
        ProductRecord: company.products,
        CustomerRecord: company.customers,
        OrderRecord: company.orders,
        TicketRecord: company.tickets,
        TransactionRecord: company.transactions,
    }
    for record in RECORDS:
        if record is OrderLineRecord:
            yield record, _order_lines(company.orders)
        elif record is SaleRecord:
            yield record, _sales(company.sales)
        else:
            yield record, _columns(record, plain[record])


def _columns(record: type[Base], items: Iterable[object]) -> Iterator[dict[str, Any]]:
    """Take from each item what the table has a column for."""
    names = [column.name for column in record.__table__.columns if column.name != "tenant"]
    for item in items:
        yield {name: getattr(item, name) for name in names}


def _order_lines(orders: Iterable[Order]) -> Iterator[dict[str, Any]]:
    for order in orders:
        for number, line in enumerate(order.lines, start=1):
            yield {
                "order_id": order.id,
                "line": number,
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }


def _sales(series: Iterable[ProductSales]) -> Iterator[dict[str, Any]]:
    """Spread each product's series over its days."""
    for product in series:
        for days, (units, promoted) in enumerate(zip(product.units, product.promoted, strict=True)):
            day = product.first_day + timedelta(days=days)
            yield {"sku": product.sku, "day": day, "units": units, "promoted": promoted}
