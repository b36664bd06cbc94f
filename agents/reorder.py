"""When to buy a product again, and how much, with every number of the arithmetic.

Stock is looked at every `review_days`, so what is in the warehouse or on order has to last until the goods of the next
look arrive: the protection interval is review period plus lead time. The reorder point is the demand that is not
exceeded in it with the chance of the service level, by the forecast's distribution; what that is above the expected
demand is the safety stock. An order fills up to a level that covers some days more. This is the (R, s, S) policy of
E. Silver, D. Pyke, D. Thomas: Inventory and Production Management in Supply Chains, 4th ed. 2017, chapter 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agents.systems.rules.quantities import enough_quantity, least_quantity
from core.demand import Demand, Outlook
from core.purchasing import Product, Supplier

_CENT = Decimal("0.01")
_YEAR = 365


@dataclass(frozen=True, slots=True)
class ReorderPolicy:
    """What the company wants: `service_level` is the chance of no stock-out in a protection interval, in (0, 1).

    `holding_rate` is what keeping goods for a year costs, as a share of what they cost: capital, room and decay. A
    quarter is usual (Silver, Pyke, Thomas 2017, chapter 1).
    """

    service_level: float = 0.95
    review_days: int = 7
    cover_days: int = 28
    holding_rate: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what makes no sense, with ValueError."""
        if not 0 < self.service_level < 1:
            raise ValueError(f"the service level lies between 0 and 1, not at {self.service_level}")
        if self.review_days < 0 or self.cover_days < 0 or self.holding_rate < 0:
            raise ValueError("days and rates cannot be negative")

    def days(self, lead_time_days: int) -> int:
        """How many days a forecast must reach for `advise`."""
        return max(1, lead_time_days + self.review_days + self.cover_days)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a position comes to in the protection interval, as its demand is expected to be.

    `short` and `left` are pieces wanted beyond it and pieces that remain at its end, `short_share` the part of the
    demand that goes short. `shortage_cost` is the margin lost on the short ones, were none of them to wait, and
    `holding_cost` what keeping the remaining ones costs over the interval.
    """

    position: int
    short: float
    short_share: float
    left: float
    shortage_cost: Decimal
    holding_cost: Decimal


@dataclass(frozen=True, slots=True)
class ReorderAdvice:
    """What to buy, and why: the numbers stand in the order in which they follow from each other.

    Demands and stocks are pieces. `safety_stock` is `safety_factor` standard deviations, as many as the service level
    takes of this demand. `quantity` is 0 where nothing need be bought now. `unchanged` and `ordered` are what the
    present position and the one with the order come to. `method` says who foretold the demand, from sales until
    `known_until`.
    """

    sku: str
    supplier_id: str
    lead_time_days: int
    review_days: int
    protection_days: int
    protection_demand: float
    protection_sd: float
    service_level: float
    safety_factor: float
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
    unchanged: Prospect
    ordered: Prospect
    method: str
    known_until: date


def advise(product: Product, supplier: Supplier, outlook: Outlook, policy: ReorderPolicy) -> ReorderAdvice:
    """Say how many pieces to buy now. The outlook reaches `policy.days(product.lead_time_days)`.

    `product.cost` must be above zero (ValueError).
    """
    protection = product.lead_time_days + policy.review_days
    demand = outlook.over(protection)
    mean, sd = demand.mean, demand.sd
    safety = max(0.0, demand.quantile(policy.service_level) - mean)
    cover = outlook.over(protection + policy.cover_days).mean
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
        safety_factor=safety / sd if sd > 0 else 0.0,
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
        unchanged=prospect(position, demand, protection, product, policy),
        ordered=prospect(position + quantity, demand, protection, product, policy),
        method=outlook.method,
        known_until=outlook.known_until,
    )


def prospect(position: int, demand: Demand, days: int, product: Product, policy: ReorderPolicy) -> Prospect:
    """What this position comes to against the demand of so many days."""
    short = demand.short(position)
    left = max(0.0, position - demand.mean + short)
    rate = Decimal(str(policy.holding_rate * days / _YEAR))
    return Prospect(
        position=position,
        short=short,
        short_share=short / demand.mean if demand.mean > 0 else 0.0,
        left=left,
        shortage_cost=_cents(max(product.price - product.cost, Decimal(0)), short),
        holding_cost=_cents(product.cost * rate, left),
    )


def _cents(each: Decimal, pieces: float) -> Decimal:
    return (each * Decimal(str(pieces))).quantize(_CENT)


def _whole(pieces: float) -> int:
    """Up to whole pieces; a rounding error of the sum is no piece."""
    return math.ceil(round(pieces, 6))
