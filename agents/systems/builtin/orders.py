"""Customers' orders on our own tables."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agents.records import OrderLineRecord, OrderRecord
from agents.systems.builtin.outcomes import Outcomes
from agents.systems.rules.orders import changed
from agents.systems.rules.words import check_query
from agents.systems.tables import OrderChangeRecord
from core.database import Database, now
from core.errors import NotFound
from core.orders import CancelOrder, ChangeAddress, Order, OrderAction, OrderFilter, OrderLine, OrderStatus


class BuiltinOrders:
    """See `core.ports.Orders`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outcomes = Outcomes(database, "orders", Order)

    async def orders(self, tenant: str, wanted: OrderFilter) -> list[Order]:
        """See `Orders.orders`."""
        check_query(wanted)
        query = select(OrderRecord).where(OrderRecord.tenant == tenant).limit(wanted.limit)
        query = query.order_by(OrderRecord.placed.desc(), OrderRecord.id.desc())
        if wanted.order_id is not None:
            query = query.where(OrderRecord.id == wanted.order_id)
        if wanted.customer_id is not None:
            query = query.where(OrderRecord.customer_id == wanted.customer_id)
        if wanted.placed_until is not None:
            query = query.where(OrderRecord.placed <= wanted.placed_until)
        async with self._database.session() as session:
            return await _orders(session, tenant, (await session.scalars(query)).all())

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        """See `Orders.act`."""
        return await self._outcomes.once(tenant, key, action, lambda session: _do(session, tenant, action))

    async def outcome(self, tenant: str, key: str) -> Order | None:
        """See `Orders.outcome`."""
        return await self._outcomes.find(tenant, key)


async def _do(session: AsyncSession, tenant: str, action: OrderAction) -> Order:
    record = await session.get(OrderRecord, (tenant, action.order_id), with_for_update=True)
    if record is None or action.customer_id not in (None, record.customer_id):
        raise NotFound(f"no order {action.order_id}", param="order_id")
    (before,) = await _orders(session, tenant, [record])
    order = changed(before, action)
    record.status, record.address, record.refunded = order.status.value, order.address, order.refunded
    kind, detail = _told(before, action)
    await _note(session, tenant, order.id, kind, detail, order.refunded - before.refunded)
    return order


def _told(before: Order, action: OrderAction) -> tuple[str, str]:
    if isinstance(action, ChangeAddress):
        return "redirected", before.address
    return "cancelled" if isinstance(action, CancelOrder) else "refunded", action.reason


async def _note(session: AsyncSession, tenant: str, order_id: str, kind: str, detail: str, amount: Decimal) -> None:
    """Write down what was done. The order's row is locked, so nobody else takes the same number."""
    ours = (OrderChangeRecord.tenant == tenant, OrderChangeRecord.order_id == order_id)
    last = await session.scalar(select(func.max(OrderChangeRecord.number)).where(*ours))
    session.add(
        OrderChangeRecord(
            tenant=tenant,
            order_id=order_id,
            number=(last or 0) + 1,
            at=now(),
            kind=kind,
            detail=detail,
            amount=amount,
        )
    )


async def _orders(session: AsyncSession, tenant: str, records: Sequence[OrderRecord]) -> list[Order]:
    """The records with their lines."""
    lines: dict[str, list[OrderLine]] = {record.id: [] for record in records}
    written = select(OrderLineRecord).where(OrderLineRecord.tenant == tenant, OrderLineRecord.order_id.in_(lines))
    for line in await session.scalars(written.order_by(OrderLineRecord.order_id, OrderLineRecord.line)):
        lines[line.order_id].append(OrderLine(line.sku, line.quantity, line.unit_price))
    return [
        Order(
            id=record.id,
            customer_id=record.customer_id,
            status=OrderStatus(record.status),
            placed=record.placed,
            shipped=record.shipped,
            delivered=record.delivered,
            address=record.address,
            method=record.method,
            carrier=record.carrier,
            tracking=record.tracking,
            lines=tuple(lines[record.id]),
            delivery_fee=record.delivery_fee,
            total=record.total,
            paid_with=record.paid_with,
            charged=record.charged,
            refunded=record.refunded,
        )
        for record in records
    ]
