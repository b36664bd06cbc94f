"""The words of buying stock: products, suppliers' terms, sales and purchase orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import AwareDatetime

Found_co = TypeVar("Found_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Product:
    """A product and its stock.

    `stock` is the number of pieces in the warehouse and `on_order` that of pieces bought and not yet arrived.
    `cost` is what a piece costs us; `lead_time_days` runs from a purchase order to its arrival, goods-in included.
    """

    sku: str
    name: str
    family: str
    price: Decimal
    cost: Decimal
    stock: int
    on_order: int
    lead_time_days: int
    supplier_id: str


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier's terms: each purchase order reaches `minimum_order`, each line is a multiple of `pack_size`."""

    id: str
    name: str
    country: str
    lead_time_days: int
    minimum_order: Decimal
    pack_size: int
    payment_days: int


@dataclass(frozen=True, slots=True)
class SalesHistory:
    """Daily sales of one product: `units[i]` pieces on `first_day + i`, on promotion where `promoted[i]`."""

    sku: str
    first_day: date
    units: tuple[int, ...]
    promoted: tuple[bool, ...]


class PurchaseOrderStatus(StrEnum):
    """How much of a purchase order has arrived: nothing, a part, or all."""

    PLACED = "placed"
    PARTIAL = "partial"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class PurchaseOrderLine:
    """Pieces of one product in a purchase order, `received` of them in the warehouse by now."""

    sku: str
    quantity: int
    unit_cost: Decimal
    received: int = 0

    @property
    def outstanding(self) -> int:
        """Pieces that are still to come."""
        return self.quantity - self.received


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """Goods bought from one supplier. `expected` is the day that its lead time promises for the slowest line."""

    id: str
    supplier_id: str
    status: PurchaseOrderStatus
    placed: AwareDatetime
    expected: date
    received: AwareDatetime | None
    lines: tuple[PurchaseOrderLine, ...]

    @property
    def total(self) -> Decimal:
        """What the goods cost."""
        return sum((line.unit_cost * line.quantity for line in self.lines), Decimal("0.00"))


class Query(Generic[Found_co]):
    """A question to `Procurement`, whose answers are of the type `Found_co`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ProductQuery(Query[Product]):
    """Products by SKU, by supplier, or with all of `words` in name or family; in the order of their SKUs.

    SKUs are ordered by their code points (`B-2` before `a-10`, `a-10` before `a-2`), whatever a system would do by
    itself. `after` wants only those that come behind this SKU: the next page begins behind the last one's.
    """

    sku: str | None = None
    supplier_id: str | None = None
    words: str = ""
    limit: int = 500
    after: str | None = None


@dataclass(frozen=True, slots=True)
class SupplierQuery(Query[Supplier]):
    """Suppliers, all or the one with this id, in the order of their ids."""

    supplier_id: str | None = None
    limit: int = 500


@dataclass(frozen=True, slots=True)
class SalesQuery(Query[SalesHistory]):
    """Daily sales from `since` on of these products (all, if none is named), in the order of their SKUs.

    The order and `after` are those of `ProductQuery`. A product without sales from that day on has no history.
    """

    since: date
    skus: tuple[str, ...] = ()
    limit: int = 500
    after: str | None = None


@dataclass(frozen=True, slots=True)
class PurchaseOrderQuery(Query[PurchaseOrder]):
    """Purchase orders by id or by a product in them, the latest first; with `open_only`, those not yet received."""

    po_id: str | None = None
    sku: str | None = None
    open_only: bool = False
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Pieces of one product to buy."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PlacePurchaseOrder:
    """Buy from one supplier; without a `supplier_id`, from the one that the first line's product comes from."""

    lines: tuple[Wanted, ...]
    supplier_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmDelivery:
    """Book `quantity` pieces in. `sku` may be left out where only one product is still to come."""

    po_id: str
    quantity: int
    sku: str | None = None


PurchaseAction = PlacePurchaseOrder | ConfirmDelivery
