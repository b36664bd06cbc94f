"""Recommendations over HTTP, at a steady rate: the demo company, with a model trained on its orders.

Each request reads the customer's own orders, ranks the catalogue, draws the last place by chance, and keeps the slate
in SQLite. The customers take turns.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.modelstore import ModelStore
from core.settings import Settings
from evals.bench.figure import Figure, Skipped
from evals.bench.load import paced, post
from evals.bench.process import gateway

ROUNDS = 7
RATE = 50
SECONDS = 4.0
CONNECTIONS = 8
CUSTOMERS = 400


def measure() -> list[Figure]:
    """Needs scipy and safetensors, and the embedding model."""
    for package in ("scipy", "safetensors"):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[tabular]'")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_furnish(Path(folder)))
        with gateway(Path(folder), WAYSIDE_RECOMMEND__EXPLORE="epsilon_greedy") as ours:
            requests = [_request(number, ours.key) for number in range(int(RATE * SECONDS))]
            paced(ours.port, requests, RATE, CONNECTIONS)
            p50, p99 = list[float](), list[float]()
            for _ in range(ROUNDS):
                times = paced(ours.port, requests, RATE, CONNECTIONS)
                p50.append(float(np.percentile(times, 50)))
                p99.append(float(np.percentile(times, 99)))
    told = f"POST /api/recommendations, {RATE} requests/s"
    return [Figure(f"{told}, p50", "ms", p50), Figure(f"{told}, p99", "ms", p99)]


async def _furnish(workspace: Path) -> None:
    """A workspace with the demo company, whose orders a champion was trained on."""
    from app.recommend.catalogue import titles_of
    from app.recommend.history import PurchaseHistory
    from app.recommend.training import candidate, train_recommend
    from app.wiring import open_wayside
    from app.workspace import TENANT
    from tabular.eventlog import EventLog
    from tabular.recommend.purchases import day_of

    ModelStore().pull(Settings().embedding_model)
    async with open_wayside(Settings(workspace=workspace, null_engine=True)) as wayside:
        await PurchaseHistory(wayside.systems.orders, wayside.database).take_all(TENANT)
        titles = await titles_of(wayside.systems.procurement, TENANT)
        trained = await train_recommend(
            EventLog(wayside.database),
            TENANT,
            titles,
            wayside.embeddings,
            now=day_of(datetime.now(UTC)),
            say=lambda _: None,
        )
        registry = wayside.trials.registry
        with tempfile.TemporaryDirectory() as folder:
            version = await registry.register(candidate(trained, Path(folder), "bench"), "bench")
        await registry.promote(version.model, version.number, "bench", "for the benchmark")


def _request(number: int, key: str) -> bytes:
    body = {"customer_id": f"CUS-{number * 7919 % CUSTOMERS + 1:05}", "limit": 10}
    return post("/api/recommendations", body, key)
