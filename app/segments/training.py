"""From a company's orders to a version of its customers' segments: found, measured, described."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from app.order_pages import order_pages
from app.segments.purchases import bought, day_of, latest, paid, purchase_of
from app.segments.served import MODEL
from core.errors import InvalidInput
from core.gates import Metric
from core.ports import Orders
from core.versions import Candidate, Kind, Lineage
from tabular.tasks import segmenting
from tabular.tasks.segmenting import Found, find_segments
from tabular.tasks.segments import rfm
from tabular.tasks.storing import FORMAT, save


@dataclass(frozen=True, slots=True)
class TrainedSegments:
    """The segments of `customers`, found in their `purchases` as of `moment`, when the latest order was placed."""

    found: Found
    customers: int
    purchases: int
    moment: datetime
    data: str

    @property
    def metrics(self) -> dict[str, Metric]:
        """For the registry. The gate compares the silhouette; how firm the segments are is told."""
        return {
            "held-out/silhouette": Metric(self.found.silhouette),
            "held-out/same-segment": Metric(self.found.same, gates=False),
        }


async def train_segments(orders: Orders, tenant: str, *, now: datetime, say: Callable[[str], None]) -> TrainedSegments:
    """Read every order of the tenant, and find the segments of its customers as they were at the latest of them.

    Raises `InvalidInput` without purchases and for too few customers, and what the order system raises.
    """
    every = [order async for page in order_pages(orders, tenant) for order in page]
    moment, digest = latest(every, now), hashlib.sha256()
    purchases = [purchase_of(order, moment) for order in bought(every)]
    if not purchases:
        raise InvalidInput("there are no purchases to find segments in", param="data")
    for order in every:
        told = f"{order.id} {order.customer_id} {order.placed.isoformat()} {order.status.value} {paid(order)}"
        digest.update(f"{told}\n".encode())
    names, customers = rfm(purchases, day_of(moment))
    say(f"{len(purchases):,} purchases of {len(names):,} customers")
    found = await asyncio.to_thread(find_segments, customers)
    return TrainedSegments(found, len(names), len(purchases), moment, digest.hexdigest())


def candidate(trained: TrainedSegments, folder: Path, code: str) -> Candidate:
    """The segments as a version to be registered; its file is written into the folder."""
    recipe = {
        "format": FORMAT,
        "counts": segmenting.COUNTS,
        "seeds": segmenting.SEEDS,
        "parts": segmenting.PARTS,
        "sampled": segmenting.SAMPLED,
    }
    told = {"moment": trained.moment.isoformat(), "segments": trained.found.segments.told()}
    return Candidate(
        model=MODEL,
        kind=Kind.TABULAR,
        files=save(MODEL, told, folder),
        lineage=Lineage("", trained.data, hashlib.sha256(orjson.dumps(recipe)).hexdigest(), code),
        metrics=trained.metrics,
        card=_card(trained),
    )


def _card(trained: TrainedSegments) -> str:
    lines = "\n".join(
        f"{number}. {each.words}: {each.customers:,} customers, {each.share:.0%} of the spending; "
        f"medians: last purchase {each.recency:.0f} days before, purchases {each.purchases:g}, spending "
        f"{each.spending:,.2f}"
        for number, each in enumerate(trained.found.segments.each, start=1)
    )
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        for name, metric in trained.metrics.items()
    )
    return (
        f"# Segments of customers\n\nFound in {trained.purchases:,} purchases of {trained.customers:,} customers, as "
        f"they were on {trained.moment:%d %B %Y}, by recency, frequency and spending:\n\n{lines}\n\nMeasured on "
        f"customers by segments that were found without them:\n\n{figures}\n"
    )
