"""Buying stock on our own tables."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agents.records import ProductRecord
from agents.systems.builtin import stock
from agents.systems.builtin.outcomes import Outcomes, next_id
from agents.systems.rules.purchasing import check_lines, check_terms, delivered, placed
from agents.systems.rules.words import check_query
from agents.systems.tables import PurchaseOrderLineRecord, PurchaseOrderRecord
from core.database import Database, now
from core.errors import NotFound
from core.purchasing import (
    ConfirmDelivery,
    Found_co,
    ProductQuery,
    PurchaseAction,
    PurchaseOrder,
    PurchaseOrderQuery,
    Query,
    SalesQuery,
    SupplierQuery,
)

_READERS: dict[type[Query[Any]], Any] = {
    ProductQuery: stock.products,
    SupplierQuery: stock.suppliers,
    SalesQuery: stock.sales,
    PurchaseOrderQuery: stock.purchase_orders,
}


class BuiltinProcurement:
    """See `core.ports.Procurement`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outcomes = Outcomes(database, "procurement", PurchaseOrder)

    async def read(self, tenant: str, wanted: Query[Found_co]) -> list[Found_co]:
        """See `Procurement.read`."""
        check_query(wanted)
        async with self._database.session() as session:
            return cast("list[Found_co]", await _READERS[type(wanted)](session, tenant, wanted))

    async def act(self, tenant: str, key: str, action: PurchaseAction) -> PurchaseOrder:
        """See `Procurement.act`."""
        return await self._outcomes.once(tenant, key, action, lambda session: self._do(session, tenant, action))

    async def outcome(self, tenant: str, key: str) -> PurchaseOrder | None:
        """See `Procurement.outcome`."""
        return await self._outcomes.find(tenant, key)

    async def _do(self, session: AsyncSession, tenant: str, action: PurchaseAction) -> PurchaseOrder:
        if isinstance(action, ConfirmDelivery):
            return await _book_in(session, tenant, action)
        check_lines(action)
        skus = [line.sku for line in action.lines]
        query = select(ProductRecord).where(ProductRecord.tenant == tenant, ProductRecord.sku.in_(skus))
        products = {
            product.sku: product
            for product in await stock.on_order(session, tenant, (await session.scalars(query)).all())
        }
        for sku in skus:
            if sku not in products:
                raise NotFound(f"no product {sku}", param="sku")
        supplier_id = action.supplier_id or products[skus[0]].supplier_id
        found = await stock.suppliers(session, tenant, SupplierQuery(supplier_id))
        if not found:
            raise NotFound(f"no supplier {supplier_id}", param="supplier_id")
        check_terms(action, products, found[0])
        po_id = await next_id(self._database, session, tenant, "PO", PurchaseOrderRecord.id)
        order = placed(po_id, action, products, found[0], now())
        await _write(session, tenant, order)
        return order


async def _write(session: AsyncSession, tenant: str, order: PurchaseOrder) -> None:
    session.add(
        PurchaseOrderRecord(
            tenant=tenant,
            id=order.id,
            supplier_id=order.supplier_id,
            status=order.status.value,
            placed=order.placed,
            expected=order.expected,
            received=order.received,
        )
    )
    await session.flush()
    for number, line in enumerate(order.lines, start=1):
        session.add(
            PurchaseOrderLineRecord(
                tenant=tenant,
                po_id=order.id,
                line=number,
                sku=line.sku,
                quantity=line.quantity,
                unit_cost=line.unit_cost,
                received=line.received,
            )
        )


async def _book_in(session: AsyncSession, tenant: str, action: ConfirmDelivery) -> PurchaseOrder:
    record = await session.get(PurchaseOrderRecord, (tenant, action.po_id), with_for_update=True)
    if record is None:
        raise NotFound(f"no purchase order {action.po_id}", param="po_id")
    (before,) = await stock.with_lines(session, tenant, [record])
    order, sku = delivered(before, action, now())
    record.status, record.received = order.status.value, order.received
    line = PurchaseOrderLineRecord
    came = update(line).where(line.tenant == tenant, line.po_id == order.id, line.sku == sku)
    await session.execute(came.values(received=line.received + action.quantity))
    # Added by the database, not written over: sales lower the same number meanwhile.
    product = update(ProductRecord).where(ProductRecord.tenant == tenant, ProductRecord.sku == sku)
    await session.execute(product.values(stock=ProductRecord.stock + action.quantity))
    return order
