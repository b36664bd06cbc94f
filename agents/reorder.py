"""When to buy a product again, and how much, with every number of the arithmetic.

Stock is looked at every `review_days`, so what is in the warehouse or on order has to last until the goods of the next
look arrive: the protection interval is review period plus lead time. The reorder point is the demand expected in it
plus a safety stock of z standard deviations of that demand, z being the normal quantile of the service level; an order
fills up to a level that covers some days more. This is the (R, s, S) policy of E. Silver, D. Pyke, D. Thomas:
Inventory and Production Management in Supply Chains, 4th ed. 2017, chapter 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

from agents.demand import DemandForecast
from agents.systems.rules.quantities import enough_quantity, least_quantity
from core.purchasing import Product, Supplier


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """What the company wants: `service_level` is the chance of no stock-out in a protection interval, in (0, 1)."""

    service_level: float = 0.95
    review_days: int = 7
    cover_days: int = 28

    def __post_init__(self) -> None:
        """Refuse what makes no sense, with ValueError."""
        if not 0 < self.service_level < 1:
            raise ValueError(f"the service level lies between 0 and 1, not at {self.service_level}")
        if self.review_days < 0 or self.cover_days < 0:
            raise ValueError("days cannot be negative")

    def weeks(self, lead_time_days: int) -> int:
        """How many weeks a forecast must reach for `advise`."""
        return max(1, math.ceil((lead_time_days + self.review_days + self.cover_days) / 7))


@dataclass(frozen=True, slots=True)
class ReorderAdvice:
    """What to buy, and why: the numbers stand in the order in which they follow from each other.

    Demands and stocks are pieces. `quantity` is 0 where nothing need be bought now.
    """

    sku: str
    supplier_id: str
    lead_time_days: int
    review_days: int
    protection_days: int
    protection_demand: float
    protection_sd: float
    service_level: float
    z: float
    safety_stock: float
    reorder_point: int
    cover_days: int
    cover_demand: float
    order_up_to: int
    stock: int
    on_order: int
    position: int
    shortfall: int
    pack_size: int
    minimum_order: Decimal
    least_quantity: int
    quantity: int
    unit_cost: Decimal
    total: Decimal
    days_left: float | None
    """How long stock and orders last at the demand expected in the protection interval; None without demand."""


def advise(product: Product, supplier: Supplier, demand: DemandForecast, policy: ReorderPolicy) -> ReorderAdvice:
    """Say how many pieces to buy now. The forecast reaches `policy.weeks(product.lead_time_days)`.

    `product.cost` must be above zero (ValueError).
    """
    protection = product.lead_time_days + policy.review_days
    mean, sd = demand.over(protection)
    z = NormalDist().inv_cdf(policy.service_level)
    safety = max(0.0, z * sd)
    cover, _ = demand.over(protection + policy.cover_days)
    reorder_point = _whole(mean + safety)
    order_up_to = _whole(cover + safety)
    position = product.stock + product.on_order
    shortfall = max(0, order_up_to - position) if position <= reorder_point else 0
    terms = (product.cost, supplier.pack_size, supplier.minimum_order)
    quantity = enough_quantity(shortfall, *terms) if shortfall else 0
    return ReorderAdvice(
        sku=product.sku,
        supplier_id=supplier.id,
        lead_time_days=product.lead_time_days,
        review_days=policy.review_days,
        protection_days=protection,
        protection_demand=mean,
        protection_sd=sd,
        service_level=policy.service_level,
        z=z,
        safety_stock=safety,
        reorder_point=reorder_point,
        cover_days=policy.cover_days,
        cover_demand=cover - mean,
        order_up_to=order_up_to,
        stock=product.stock,
        on_order=product.on_order,
        position=position,
        shortfall=shortfall,
        pack_size=supplier.pack_size,
        minimum_order=supplier.minimum_order,
        least_quantity=least_quantity(*terms),
        quantity=quantity,
        unit_cost=product.cost,
        total=product.cost * quantity,
        days_left=position * protection / mean if mean > 0 else None,
    )


def _whole(pieces: float) -> int:
    """Up to whole pieces; a rounding error of the sum is no piece."""
    return math.ceil(round(pieces, 6))
