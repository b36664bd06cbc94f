"""The forecasts that are in force: the registry's champion, taken up while the gateway runs, and what speaks beside it.

The champion is numbers only, so serving takes neither statsforecast nor time. It speaks of the products it knows, as
far as it reaches, while sales have not outgrown it; of the rest the built-in forecaster does, which always can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agents.demand import BuiltinForecaster, check_days
from app.champions import Champion
from core.demand import Outlook
from core.purchase_pages import sold_until
from core.purchasing import SalesQuery
from tabular.demand.prepared import Prepared
from tabular.demand.storing import load

if TYPE_CHECKING:
    from core.ports import Procurement
    from core.registry import Registry
    from core.settings import Settings

MODEL = "demand"
"""The model's name in the registry."""

_NAMED = 3
_DAY = timedelta(days=1)


class ServedForecasts:
    """See `core.ports.Forecaster`. The champion was made of one tenant's sales and speaks to that one alone."""

    def __init__(self, registry: Registry, procurement: Procurement, settings: Settings, *, tenant: str) -> None:
        self._changes = Champion(registry, MODEL)
        self._procurement = procurement
        self._builtin = BuiltinForecaster(procurement)
        self._stale = timedelta(days=settings.demand.stale_days)
        self._tenant = tenant
        self._champion: tuple[int, Prepared] | None = None

    async def outlooks(self, tenant: str, days: Mapping[str, int]) -> dict[str, Outlook]:
        """See `Forecaster.outlooks`."""
        check_days(days)
        found: dict[str, Outlook] = {}
        # One for the whole answer, whatever is promoted meanwhile.
        champion = self._champion
        if champion is not None and tenant == self._tenant and days:
            version, prepared = champion
            known = await self._known_until(prepared.origin)
            if known is not None:
                # Some ten thousand products take a while.
                found = await asyncio.to_thread(_outlooks, version, prepared, known, days)
        rest = {sku: count for sku, count in days.items() if sku not in found}
        return found | await self._builtin.outlooks(tenant, rest)

    async def refresh(self) -> None:
        """Take up the champion if it changed.

        Raises `InvalidInput` for a model of another kind, `CorruptArtefact` for one that is broken.
        """
        change = await self._changes.change()
        if change is None:
            return
        champion = None
        if change.version is not None:
            champion = (change.version.number, await asyncio.to_thread(load, change.files))
        self._champion = champion

    async def _known_until(self, origin: date) -> date | None:
        """The last day whose sales are known, from `origin` on; None where it lies too far behind them."""
        if await self._procurement.read(self._tenant, SalesQuery(origin + self._stale + _DAY, limit=1)):
            return None
        return await sold_until(self._procurement, self._tenant, origin)


def _outlooks(version: int, prepared: Prepared, known: date, days: Mapping[str, int]) -> dict[str, Outlook]:
    """What the forecasts say of the days after `known`, as far as they reach."""
    passed = (known - prepared.origin).days
    found = {}
    for sku, count in days.items():
        place = prepared.places.get(sku)
        if place is None or passed + count > prepared.horizon:
            continue
        shares = sorted(prepared.shares[place].items(), key=lambda each: (-each[1], each[0]))
        found[sku] = Outlook(
            sku=sku,
            method=f"{MODEL} {version}: {', '.join(f'{name} {100 * share:.0f} %' for name, share in shares[:_NAMED])}",
            known_until=prepared.origin,
            begins=known + _DAY,
            daily=tuple(prepared.means[place, passed : passed + count].tolist()),
            dispersions=tuple(prepared.dispersions[place, :count].tolist()),
            history=int(prepared.histories[place]) // 7,
            models=tuple(shares),
        )
    return found
