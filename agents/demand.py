"""The forecaster that always works: from a product's daily sales by numpy alone, see `core.seasonal` for the method."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from core.database import now
from core.demand import MOST_DAYS, Outlook
from core.errors import InvalidInput
from core.ports import Procurement
from core.purchase_pages import PAGE, last_day, sales_pages, sold_until
from core.purchasing import SalesHistory, SalesQuery
from core.seasonal import FEWEST_WEEKS, foresee

METHOD = "yearly wave by Poisson regression, simple exponential smoothing of the rest"
FEWEST_DAYS = 7 * FEWEST_WEEKS
HISTORY = timedelta(days=731)
"""Two years of sales show a season."""

_NAMED = 20
"""Products that are named one by one; for more, all sales are read."""


class BuiltinForecaster:
    """See `core.ports.Forecaster`."""

    def __init__(self, procurement: Procurement) -> None:
        self._procurement = procurement

    async def outlooks(self, tenant: str, days: Mapping[str, int]) -> dict[str, Outlook]:
        """See `Forecaster.outlooks`."""
        check_days(days)
        if not days:
            return {}
        named = tuple(sorted(days)) if len(days) <= _NAMED else ()
        told, until = list[SalesHistory](), date.min
        wanted = SalesQuery((now() - HISTORY).date(), named, limit=PAGE)
        async for page in sales_pages(self._procurement, tenant, wanted):
            told += [each for each in page if each.sku in days and len(each.units) >= FEWEST_DAYS]
            until = max(until, *map(last_day, page))
        if not told:
            return {}
        if named:
            # A product that stopped selling is known to have sold nothing by what others sold since.
            until = await sold_until(self._procurement, tenant, until)
        return await asyncio.to_thread(
            lambda: {each.sku: outlook(_lasting(each, until), days[each.sku]) for each in told}
        )


def check_days(days: Mapping[str, int]) -> None:
    """Raise `InvalidInput` for a stretch that nobody foretells."""
    for sku, count in days.items():
        if not 1 <= count <= MOST_DAYS:
            raise InvalidInput(f"days must be between 1 and {MOST_DAYS}, not {count} for {sku}", param="days")


def outlook(history: SalesHistory, days: int) -> Outlook:
    """Foretell the `days` after a history, which has `FEWEST_DAYS` at least.

    The level is not known but estimated, so the errors of later weeks add up: over h weeks the variance of a sum
    is that of h single weeks times 1 + a (h-1) + a² (h-1) (2h-1) / 6 for the weight a (R. Hyndman and others,
    Forecasting with Exponential Smoothing, 2008, on the local level model).
    """
    found = foresee(np.asarray(history.units, np.float64), -(-days // 7))
    weeks = np.maximum(np.arange(1, days + 1) / 7, 1.0)
    growth = 1 + found.weight * (weeks - 1) + found.weight**2 * (weeks - 1) * (2 * weeks - 1) / 6
    last = last_day(history)
    return Outlook(
        sku=history.sku,
        method=METHOD,
        known_until=last,
        begins=last + timedelta(days=1),
        daily=tuple(np.repeat(found.weeks / 7, 7)[:days].tolist()),
        dispersions=tuple((found.dispersion * growth).tolist()),
        history=found.history,
    )


def _lasting(history: SalesHistory, until: date) -> SalesHistory:
    """The history up to that day: a day without a row is one without sales, behind a product's last one too."""
    silent = (until - last_day(history)).days
    return replace(history, units=(*history.units, *[0] * silent), promoted=(*history.promoted, *[False] * silent))
