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
            if company is not None and history is not None and len(history.units) >= FEWEST_DAYS:
                begins = max(each.first_day + timedelta(days=len(each.units)) for each in company.sales.values())
                pace = sum(history.units) / (begins - history.first_day).days
                found[sku] = Outlook(
                    sku,
                    "fake",
                    begins - timedelta(days=1),
                    begins,
                    (pace,) * count,
                    (1.0,) * count,
                    (begins - history.first_day).days // 7,
                )
        return found
