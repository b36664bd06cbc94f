"""Training the forecasts of demand from the daily sales that procurement keeps, measured by rolling origin."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.demand import HISTORY
from agents.reorder import ReorderPolicy
from app.demand.served import MODEL
from core.database import now
from core.errors import InvalidInput
from core.gates import Interval, Metric
from core.ports import Procurement
from core.purchase_pages import all_products, all_sales, last_day
from core.purchasing import Product, SalesHistory
from core.versions import Candidate, Kind, Lineage
from tabular.demand import measures
from tabular.demand.candidates import for_sums
from tabular.demand.forecasting import WINDOWS, Forecast, Offer, choose
from tabular.demand.prepared import Prepared, prepare
from tabular.demand.series import Series
from tabular.demand.storing import save

Floats = NDArray[np.float64]

WEEK = 7
LEAST_WEEKS, MOST_WEEKS = 13, 26
"""How far forecasts reach at least, and at most: what is longer, the built-in forecaster is asked."""

TOGETHER = 28
"""Days whose sum is judged: about a lead time."""

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class TrainedDemand:
    """Forecasts made of everything that is known, and what their rolling origins say of them."""

    prepared: Prepared
    left_out: int
    data: str
    metrics: dict[str, Metric]


async def train_demand(
    procurement: Procurement,
    tenant: str,
    *,
    stale_days: int,
    say: Callable[[str], None],
    offer: Offer = for_sums,
) -> TrainedDemand:
    """Choose models for the tenant's products and forecast them.

    They reach over the longest protection interval and cover of any product, and `stale_days` more. Products that have
    been sold for less than twice as long are left out. Raises `InvalidInput` when none is left, `MissingExtra`, and
    what `all_products` does.
    """
    products = await all_products(procurement, tenant)
    sales = await all_sales(procurement, tenant, (now() - HISTORY).date())
    return await asyncio.to_thread(_trained, products, sales, stale_days, say, offer)


def candidate(trained: TrainedDemand, folder: Path, code: str) -> Candidate:
    """The forecasts as a version to be registered; their files are written into the folder."""
    prepared = trained.prepared
    recipe = hashlib.sha256(
        orjson.dumps({"horizon": prepared.horizon, "windows": WINDOWS, "season": WEEK, "together": TOGETHER})
    )
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        for name, metric in trained.metrics.items()
    )
    card = (
        f"# Demand\n\nForecasts of {len(prepared.names):,} products for the {prepared.horizon} days after "
        f"{prepared.origin.isoformat()}; {trained.left_out:,} were sold for too short a time.\n\n"
        f"Rolling origin, {WINDOWS} stretches, by the week, each with shares that the others chose:\n\n{figures}\n"
    )
    return Candidate(
        model=MODEL,
        kind=Kind.TABULAR,
        files=save(prepared, folder),
        lineage=Lineage("", trained.data, recipe.hexdigest(), code),
        metrics=trained.metrics,
        card=card,
    )


def _trained(
    products: Sequence[Product],
    sales: Sequence[SalesHistory],
    stale_days: int,
    say: Callable[[str], None],
    offer: Offer,
) -> TrainedDemand:
    known = {each.sku for each in products}
    sold = [each for each in sales if each.sku in known]
    if not sold:
        raise InvalidInput("there are no sales to forecast from", param="data")
    origin = max(map(last_day, sold))
    horizon = horizon_of(products, stale_days)
    # A day without a row is one without sales, behind a product's last one too.
    panel = [Series(each.sku, _until(each, origin)) for each in sold]
    enough = [each for each in panel if len(each.values) >= 2 * horizon]
    if not enough:
        told = f"no product has been sold for {2 * horizon} days, which forecasts of {horizon} days take"
        raise InvalidInput(told, param="data")
    say(f"{len(enough):,} products until {origin.isoformat()}, {horizon} days ahead")
    digest = hashlib.sha256(origin.isoformat().encode())
    for each in enough:
        digest.update(f"\n{each.name} ".encode() + each.values.tobytes())
    found = choose(enough, (WEEK,), horizon, offer=offer, together=TOGETHER).forecast(enough)
    histories = {each.name: each.values for each in enough}
    return TrainedDemand(
        prepare(found, histories, origin),
        len(products) - len(enough),
        digest.hexdigest(),
        rolling_metrics(found, histories),
    )


def horizon_of(products: Sequence[Product], stale_days: int) -> int:
    """Whole weeks, as days: what the longest protection interval and cover take, when the forecasts are oldest."""
    policy = ReorderPolicy()
    longest = max((policy.days(each.lead_time_days) for each in products), default=0) + stale_days
    return WEEK * min(max(-(-longest // WEEK), LEAST_WEEKS), MOST_WEEKS)


def _until(history: SalesHistory, origin: date) -> Floats:
    """The daily pieces, up to the day `origin`."""
    units = np.asarray(history.units, np.float64)
    return np.pad(units, (0, (origin - last_day(history)).days))


def rolling_metrics(found: Mapping[str, Forecast], histories: Mapping[str, Floats]) -> dict[str, Metric]:
    """RMSSE of weekly sums over the rolling origins, and what it is of the seasonal naive method's, with intervals.

    The interval is that of resampled products. A case is a stretch: products come and go between two trainings, and
    the gate compares what was measured over as many.
    """
    own, naive = np.array([_errors(each, histories[name]) for name, each in found.items()]).T
    random = np.random.default_rng(0)
    drawn = random.integers(0, len(own), (_RESAMPLES, len(own)))
    figures = {
        "rolling/rmsse": (own.mean(), own[drawn].mean(axis=1), False),
        "rolling/rmsse-of-snaive": (
            own.mean() / naive.mean(),
            own[drawn].mean(axis=1) / np.maximum(naive[drawn].mean(axis=1), 1e-12),
            True,
        ),
    }
    return {
        name: Metric(_interval(float(value), resampled), lower_is_better=True, gates=gates)
        for name, (value, resampled, gates) in figures.items()
    }


def _interval(value: float, resampled: Floats) -> Interval:
    low, high = np.percentile(resampled, (2.5, 97.5)).tolist()
    return Interval(value, min(low, value), max(high, value), WINDOWS)


def _errors(forecast: Forecast, values: Floats) -> tuple[float, float]:
    """RMSSE of weekly sums: the forecast's and that of the seasonal naive method, over the same stretches."""
    windows, horizon = forecast.errors.shape
    judged = values[-windows * horizon :]
    begin = len(values) - len(judged)
    past = values[begin % WEEK : begin].reshape(-1, WEEK).sum(axis=1)
    scale = measures.square_scale(past)
    actual = judged.reshape(-1, WEEK).sum(axis=1)
    guess = (judged.reshape(windows, horizon) - forecast.errors).reshape(-1, WEEK).sum(axis=1)
    starts = [begin + window * horizon for window in range(windows)]
    naive = np.repeat([values[start - WEEK : start].sum() for start in starts], horizon // WEEK)
    return float(measures.rmsse(actual, guess, scale)), float(measures.rmsse(actual, naive, scale))
