"""Two years of daily sales per product: trend, week and year by family, promotions, and slow movers.

These are the sales of all channels together (shop, app and the five stores); the orders in `orders.py` are
those of the customers with an account only, so the two do not add up to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from app.demo.catalog import Catalog, Product

DAYS = 730

WEEK = np.array([0.95, 0.90, 0.92, 1.00, 1.15, 1.50, 0.70])
"""A week's sales from Monday to Sunday, as multiples of an ordinary day."""

SLOW_SHARE = 0.3
"""The part of the products that sells now and then only."""

PROMOTION_DISCOUNT = Decimal("0.20")

SALE_DAYS = 21


@dataclass(frozen=True, slots=True)
class ProductSales:
    """One product's sales: `units[i]` pieces on `first_day + i`, on promotion where `promoted[i]`."""

    sku: str
    first_day: date
    units: tuple[int, ...]
    promoted: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """Sales of all items: `units` and `promoted` are items by days, beginning on `first_day`."""

    first_day: date
    units: NDArray[np.int64]
    promoted: NDArray[np.bool_]


def draw_demand(random: np.random.Generator, catalog: Catalog, today: date) -> Demand:
    """Draw the sales of the `DAYS` days before `today`.

    Fast movers are a gamma-Poisson mixture, so that their variance exceeds their mean as real sales do; slow
    movers sell on few days and then often more than one piece (intermittent demand).
    """
    first = today - timedelta(days=DAYS)
    family = np.array([item.family for item in catalog.items])
    price = np.array([float(item.price) for item in catalog.items])
    count = len(price)
    slow = random.random(count) < SLOW_SHARE
    pace = 1.5 * (40 / price) ** 0.6 * random.lognormal(0, 0.5, count) * np.where(slow, 0.06, 1.0)
    drift = random.normal(0, 0.08, count)
    promoted = _promotions(random, count, first)
    lift = np.where(promoted, random.uniform(1.5, 2.6, (count, 1)), 1.0)
    growth = np.exp(drift[:, None] * np.arange(DAYS) / 365)
    mean = pace[:, None] * _rhythm(catalog, first)[family] * growth * lift
    fast_units = random.poisson(mean * random.gamma(5, 1 / 5, mean.shape))
    slow_units = (random.random(mean.shape) < -np.expm1(-mean)) * random.geometric(0.6, mean.shape)
    return Demand(first, np.where(slow[:, None], slow_units, fast_units), promoted)


def as_series(products: Sequence[Product], demand: Demand) -> tuple[ProductSales, ...]:
    """Give each product its row of the demand."""
    rows = zip(products, demand.units.tolist(), demand.promoted.tolist(), strict=True)
    return tuple(
        ProductSales(product.sku, demand.first_day, tuple(units), tuple(promoted)) for product, units, promoted in rows
    )


def sale_starts(year: int) -> tuple[date, date]:
    """Return when the year's two big sales begin: second Thursday of January, first Thursday of July."""
    return _thursday(date(year, 1, 8)), _thursday(date(year, 7, 1))


def _thursday(earliest: date) -> date:
    return earliest + timedelta(days=(3 - earliest.weekday()) % 7)


def _rhythm(catalog: Catalog, first: date) -> NDArray[np.float64]:
    """Return families by days: how many times an ordinary day's sales each day brings."""
    days = np.arange(DAYS)
    dates = np.datetime64(first) + days
    weekday = (first.weekday() + days) % 7
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    before_christmas = (day_of_year >= 328) & (day_of_year <= 356)
    rows = []
    for family in catalog.families:
        year = np.exp(family.swing * np.cos(2 * np.pi * (day_of_year - family.peak_day) / 365.25))
        week = WEEK[weekday] ** family.weekend
        rows.append(year * week * (1 + family.gifts * before_christmas) * (1 + family.growth) ** (days / 365))
    return np.stack(rows)


def _promotions(random: np.random.Generator, count: int, first: date) -> NDArray[np.bool_]:
    """Return items by days: the two yearly sales for some, and up to two weeks of its own for each."""
    promoted = np.zeros((count, DAYS), dtype=np.bool_)
    for year in range(first.year, first.year + 4):
        for start in sale_starts(year):
            begin = (start - first).days
            window = slice(max(begin, 0), max(begin + SALE_DAYS, 0))
            promoted[:, window] |= (random.random(count) < 0.45)[:, None]
    for _ in range(2):
        start_days = random.integers(0, 2 * DAYS, count)[:, None]
        days = np.arange(DAYS)[None, :]
        promoted |= (days >= start_days) & (days < start_days + 7)
    return promoted
