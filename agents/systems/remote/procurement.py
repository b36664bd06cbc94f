"""A company's procurement behind an HTTP API."""

from __future__ import annotations

import re
from typing import Any, cast

from agents.systems.remote.operation import Noun, Operation
from agents.systems.remote.system import RemoteSystem
from agents.systems.rules.purchasing import check_lines
from agents.systems.rules.words import check_action, check_key, check_query
from core.errors import InvalidInput, SystemFault
from core.purchasing import (
    ConfirmDelivery,
    Found_co,
    PlacePurchaseOrder,
    Product,
    ProductQuery,
    PurchaseAction,
    PurchaseOrder,
    PurchaseOrderQuery,
    PurchaseOrderStatus,
    Query,
    SalesHistory,
    SalesQuery,
    Supplier,
    SupplierQuery,
)
from core.systems import ProcurementSettings


class RemoteProcurement:
    """See `core.ports.Procurement`. Raises `InvalidInput` when an expression in the settings is none."""

    def __init__(self, system: RemoteSystem, settings: ProcurementSettings) -> None:
        self._system = system
        told, nouns = settings.operations, settings.nouns
        order = Noun("purchase_order", nouns.purchase_order, PurchaseOrder)
        self._reads: dict[type[Query[Any]], Operation[Any]] = {
            ProductQuery: Operation("products", told.products, Noun("product", nouns.product, Product).each),
            SupplierQuery: Operation("suppliers", told.suppliers, Noun("supplier", nouns.supplier, Supplier).each),
            SalesQuery: Operation("sales", told.sales, Noun("sales", nouns.sales, SalesHistory).each),
            PurchaseOrderQuery: Operation("purchase_orders", told.purchase_orders, order.each),
        }
        self._pages: dict[type[Query[Any]], bool] = {
            kind: re.search(r"\bafter\b", f"{asked.query} {asked.path} {asked.body}") is not None
            for kind, asked in ((ProductQuery, told.products), (SalesQuery, told.sales))
        }
        one = told.purchase_order
        self._one = Operation("purchase_order", one, order.one) if one else None
        self._outcome = Operation("outcome", told.outcome, order.one)
        self._acts = {
            PlacePurchaseOrder: Operation("place", told.place, order.one, acts=True),
            ConfirmDelivery: Operation("confirm_delivery", told.confirm_delivery, order.one, acts=True),
        }

    async def read(self, tenant: str, wanted: Query[Found_co]) -> list[Found_co]:
        """See `Procurement.read`. What the system gives beyond what was asked for is left out.

        Raises `InvalidInput` for what comes behind an SKU where the settings do not ask for it, and `SystemFault` where
        the system does not heed that: the first page would come again, or none, and be taken for the rest.
        """
        check_query(wanted)
        after = wanted.after if isinstance(wanted, ProductQuery | SalesQuery) else None
        operation = self._reads[type(wanted)]
        if after is not None and not self._pages[type(wanted)]:
            told = f"this procurement is not asked for more {operation.name}: its query has no after"
            raise InvalidInput(told, param=f"systems.procurement.operations.{operation.name}.query")
        if self._one is not None and isinstance(wanted, PurchaseOrderQuery) and wanted.po_id is not None:
            order = await self._system.read(self._one, tenant, wanted)
            return [] if order is None else cast("list[Found_co]", [order])
        found = await self._system.read(operation, tenant, wanted) or []
        if after is not None and any(each.sku <= after for each in found):
            raise SystemFault(f"{operation.name} behind {after} were asked for, and others came as well")
        fitting = [each for each in found if _fits(each, wanted)]
        return cast("list[Found_co]", fitting)[: wanted.limit]  # type: ignore[attr-defined]

    async def act(self, tenant: str, key: str, action: PurchaseAction) -> PurchaseOrder:
        """See `Procurement.act`."""
        check_key(key)
        check_action(action)
        if isinstance(action, PlacePurchaseOrder):
            check_lines(action)
        return await self._system.act(self._acts[type(action)], tenant, key, action)

    async def outcome(self, tenant: str, key: str) -> PurchaseOrder | None:
        """See `Procurement.outcome`."""
        check_key(key)
        return await self._system.read(self._outcome, tenant, {}, key)


def _fits(found: Any, wanted: Query[Any]) -> bool:
    match wanted:
        case ProductQuery():
            return wanted.sku in (None, found.sku) and wanted.supplier_id in (None, found.supplier_id)
        case SupplierQuery():
            return wanted.supplier_id in (None, found.id)
        case SalesQuery():
            return not wanted.skus or found.sku in wanted.skus
        case PurchaseOrderQuery():
            named = wanted.po_id in (None, found.id) and wanted.sku in (None, *(line.sku for line in found.lines))
            return named and not (wanted.open_only and found.status is PurchaseOrderStatus.RECEIVED)
    return True
