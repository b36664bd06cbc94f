"""Reads what buying needs from our own tables: products with what is on order, suppliers, sales, purchase orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from agents.records import ProductRecord, SaleRecord, SupplierRecord
from agents.systems.tables import PurchaseOrderLineRecord, PurchaseOrderRecord
from core.database import now
from core.purchasing import (
    Product,
    ProductQuery,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderQuery,
    PurchaseOrderStatus,
    SalesHistory,
    SalesQuery,
    Supplier,
    SupplierQuery,
)

_SERIES, _ROWS = 3, 2_000
"""Products whose sales are read at once, at least, and their days: few enough not to hold up the event loop while the
rows are put together."""


async def products(session: AsyncSession, tenant: str, wanted: ProductQuery) -> list[Product]:
    """See `ProductQuery`."""
    query = select(ProductRecord).where(ProductRecord.tenant == tenant)
    if wanted.sku is not None:
        query = query.where(ProductRecord.sku == wanted.sku)
    if wanted.supplier_id is not None:
        query = query.where(ProductRecord.supplier_id == wanted.supplier_id)
    text = func.lower(ProductRecord.name + " " + ProductRecord.family)
    for word in wanted.words.lower().split():
        query = query.where(text.contains(word, autoescape=True))
    place = _by_code_point(session, ProductRecord.sku)
    if wanted.after is not None:
        query = query.where(place > wanted.after)
    return await on_order(session, tenant, (await session.scalars(query.order_by(place).limit(wanted.limit))).all())


def _by_code_point(session: AsyncSession, sku: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The SKU as `ProductQuery` orders it: PostgreSQL would go by its database's language, SQLite goes by the bytes."""
    return sku.collate("C") if session.get_bind().dialect.name == "postgresql" else sku.expression


async def on_order(session: AsyncSession, tenant: str, records: Sequence[ProductRecord]) -> list[Product]:
    """The records with what is on order of each."""
    line = PurchaseOrderLineRecord
    coming = select(line.sku, func.sum(line.quantity - line.received)).where(
        line.tenant == tenant, line.sku.in_([record.sku for record in records])
    )
    pieces: dict[str, int] = {sku: int(count) for sku, count in await session.execute(coming.group_by(line.sku))}
    return [
        Product(
            sku=record.sku,
            name=record.name,
            family=record.family,
            price=record.price,
            cost=record.cost,
            stock=record.stock,
            on_order=pieces.get(record.sku, 0),
            lead_time_days=record.lead_time_days,
            supplier_id=record.supplier_id,
        )
        for record in records
    ]


async def suppliers(session: AsyncSession, tenant: str, wanted: SupplierQuery) -> list[Supplier]:
    """See `SupplierQuery`."""
    query = select(SupplierRecord).where(SupplierRecord.tenant == tenant)
    if wanted.supplier_id is not None:
        query = query.where(SupplierRecord.id == wanted.supplier_id)
    found = await session.scalars(query.order_by(SupplierRecord.id).limit(wanted.limit))
    return [
        Supplier(
            id=record.id,
            name=record.name,
            country=record.country,
            lead_time_days=record.lead_time_days,
            minimum_order=record.minimum_order,
            pack_size=record.pack_size,
            payment_days=record.payment_days,
        )
        for record in found
    ]


async def sales(session: AsyncSession, tenant: str, wanted: SalesQuery) -> list[SalesHistory]:
    """See `SalesQuery`. A day without a row is one without sales."""
    sale, product = SaleRecord, ProductRecord
    # One look for each product. Finding them among the sales goes over every day of each of them.
    sold = exists().where(sale.tenant == tenant, sale.sku == product.sku, sale.day >= wanted.since)
    place = _by_code_point(session, product.sku)
    skus = select(product.sku).where(product.tenant == tenant, sold)
    if wanted.skus:
        skus = skus.where(product.sku.in_(wanted.skus))
    if wanted.after is not None:
        skus = skus.where(place > wanted.after)
    chosen = (await session.scalars(skus.order_by(place).limit(wanted.limit))).all()
    found: list[SalesHistory] = []
    together = max(_SERIES, _ROWS // max(1, (now().date() - wanted.since).days))
    for first in range(0, len(chosen), together):
        # Plain columns: two years of three hundred products are 200,000 rows.
        query = select(SaleRecord.sku, SaleRecord.day, SaleRecord.units, SaleRecord.promoted).where(
            SaleRecord.tenant == tenant,
            SaleRecord.sku.in_(chosen[first : first + together]),
            SaleRecord.day >= wanted.since,
        )
        ordered = query.order_by(_by_code_point(session, SaleRecord.sku), SaleRecord.day)
        rows = (await session.execute(ordered)).all()
        found += [_history(sku, {row.day: row for row in days}) for sku, days in groupby(rows, key=lambda row: row.sku)]
    return found


def _history(sku: str, rows: dict[date, Any]) -> SalesHistory:
    first, last = next(iter(rows)), next(reversed(rows))
    days = [rows.get(first + timedelta(days=count)) for count in range((last - first).days + 1)]
    return SalesHistory(
        sku=sku,
        first_day=first,
        units=tuple(day.units if day else 0 for day in days),
        promoted=tuple(bool(day and day.promoted) for day in days),
    )


async def purchase_orders(session: AsyncSession, tenant: str, wanted: PurchaseOrderQuery) -> list[PurchaseOrder]:
    """See `PurchaseOrderQuery`."""
    query = select(PurchaseOrderRecord).where(PurchaseOrderRecord.tenant == tenant)
    if wanted.po_id is not None:
        query = query.where(PurchaseOrderRecord.id == wanted.po_id)
    if wanted.sku is not None:
        line = PurchaseOrderLineRecord
        query = query.where(
            PurchaseOrderRecord.id.in_(select(line.po_id).where(line.tenant == tenant, line.sku == wanted.sku))
        )
    if wanted.open_only:
        query = query.where(PurchaseOrderRecord.status != PurchaseOrderStatus.RECEIVED.value)
    query = query.order_by(PurchaseOrderRecord.placed.desc(), PurchaseOrderRecord.id.desc()).limit(wanted.limit)
    return await with_lines(session, tenant, (await session.scalars(query)).all())


async def with_lines(session: AsyncSession, tenant: str, records: Sequence[PurchaseOrderRecord]) -> list[PurchaseOrder]:
    """The records with their lines."""
    lines: dict[str, list[PurchaseOrderLine]] = {record.id: [] for record in records}
    line = PurchaseOrderLineRecord
    written = select(line).where(line.tenant == tenant, line.po_id.in_(lines)).order_by(line.po_id, line.line)
    for row in await session.scalars(written):
        lines[row.po_id].append(PurchaseOrderLine(row.sku, row.quantity, row.unit_cost, row.received))
    return [
        PurchaseOrder(
            id=record.id,
            supplier_id=record.supplier_id,
            status=PurchaseOrderStatus(record.status),
            placed=record.placed,
            expected=record.expected,
            received=record.received,
            lines=tuple(lines[record.id]),
        )
        for record in records
    ]
