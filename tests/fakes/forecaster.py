"""A forecaster without a method: what sold on average goes on selling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from agents.demand import FEWEST_DAYS, check_days
from core.demand import Outlook
from tests.fakes.systems import Companies


class FakeForecaster:
    """See `Forecaster`."""

    def __init__(self, companies: Companies) -> None:
        self._companies = companies

    async def outlooks(self, tenant: str, days: Mapping[str, int]) -> dict[str, Outlook]:
        check_days(days)
        found = {}
        for sku, count in days.items():
            company = self._companies.get(tenant)
            history = company.sales.get(sku) if company else None
            if history is not None and len(history.units) >= FEWEST_DAYS:
                begins = history.first_day + timedelta(days=len(history.units))
                pace = sum(history.units) / len(history.units)
                found[sku] = Outlook(
                    sku,
                    "fake",
                    begins - timedelta(days=1),
                    begins,
                    (pace,) * count,
                    (1.0,) * count,
                    len(history.units) // 7,
                )
        return found
