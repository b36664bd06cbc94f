"""What a fraud decision costs: in process against LightGBM alone, and over HTTP at a steady rate.

The model is trained on the demo company's card transactions, whose last ones are then decided about.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.demo.card_uses import card_uses, lately
from app.demo.company import generate
from core.database import Database
from evals.bench.figure import Figure, Skipped
from evals.bench.load import paced, post
from evals.bench.process import gateway
from tabular.features import Floats, replay
from tabular.fraud.events import Transaction
from tabular.fraud.features import FraudFeatures
from tabular.fraud.records import fraud_event, history
from tabular.fraud.scoring import Scorer

ROUNDS = 7
DECIDED = 2_000
RATE = 200
SECONDS = 5.0
CONNECTIONS = 16


def measure() -> list[Figure]:
    """Needs LightGBM and scikit-learn."""
    for package in ("lightgbm", "sklearn"):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[tabular]'")
    return [*_in_process(), *_over_http()]


def _in_process() -> list[Figure]:
    import lightgbm

    from tabular.fraud.examples import examples
    from tabular.fraud.model import train

    definition = FraudFeatures()
    transactions = list(card_uses(generate().transactions))
    learnt, last = transactions[:-DECIDED], [each for each, _ in transactions[-DECIDED:]]
    state = definition.start()
    replayed = replay(definition, map(fraud_event, history(learnt)), _is_transaction, state)
    pairs: list[tuple[Transaction, Floats]] = [(each, row) for each, row in replayed if isinstance(each, Transaction)]
    rows = examples(pairs, {each.id: fraud for each, fraud in learnt})
    model = train(rows, definition.version, definition.names)
    plain = lightgbm.Booster(model_str=model.text)
    scorer = Scorer(model)
    ours: dict[int, list[float]] = {50: [], 99: []}
    reference: dict[int, list[float]] = {50: [], 99: []}
    for _ in range(ROUNDS):
        times, vectors = [], []
        for each in last:
            begun = time.perf_counter()
            vectors.append(scorer.decide(state, each).vector)
            times.append(1000 * (time.perf_counter() - begun))
        alone = []
        for vector in vectors:
            begun = time.perf_counter()
            plain.predict(vector[None], num_threads=1)
            alone.append(1000 * (time.perf_counter() - begun))
        for quantile in ours:
            ours[quantile].append(float(np.percentile(times, quantile)))
            reference[quantile].append(float(np.percentile(alone, quantile)))
    against = "LightGBM's predict on the same rows, without reasons"
    p99 = float(np.median(ours[99]))
    return [
        Figure("decision with reasons, p50", "ms", ours[50], reference[50], against),
        Figure("decision with reasons, p99", "ms", ours[99], reference[99], against, "≤ 1 ms", p99 <= 1),
    ]


def _over_http() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_furnish(Path(folder)))
        with gateway(Path(folder)) as ours:
            numbers = iter(range(10**9))
            paced(ours.port, [_request(next(numbers), ours.key) for _ in range(RATE)], RATE, CONNECTIONS)
            p50, p99 = list[float](), list[float]()
            for _ in range(ROUNDS):
                requests = [_request(next(numbers), ours.key) for _ in range(int(RATE * SECONDS))]
                times = paced(ours.port, requests, RATE, CONNECTIONS)
                p50.append(float(np.percentile(times, 50)))
                p99.append(float(np.percentile(times, 99)))
    told = f"over HTTP at {RATE} requests/s"
    return [
        Figure(f"{told}, p50", "ms", p50),
        Figure(f"{told}, p99", "ms", p99, goal="≤ 8 ms", met=float(np.median(p99)) <= 8),
    ]


async def _furnish(workspace: Path) -> None:
    """A workspace with the demo's transactions in its log and a champion trained on them."""
    from app.fraud.history import append_history
    from app.fraud.training import candidate, train_fraud
    from app.workspace import TENANT
    from core.registry import Registry
    from tabular.eventlog import EventLog

    database = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    try:
        await database.migrate()
        now = datetime.now(UTC)
        await append_history(database, TENANT, lately(card_uses(generate().transactions), now), lambda _: None)
        moment = int(now.timestamp() * 1000)
        trained = await train_fraud(EventLog(database), TENANT, now=moment, say=lambda _: None)
        registry = Registry.of(database, workspace)
        with tempfile.TemporaryDirectory() as folder:
            version = await registry.register(candidate(trained, Path(folder), "bench"), "bench")
        await registry.promote(version.model, version.number, "bench", "for the benchmark")
    finally:
        await database.close()


def _request(number: int, key: str) -> bytes:
    body: dict[str, Any] = {
        "id": f"BENCH-{number}",
        "at": datetime.now(UTC).isoformat(),
        "card": f"CRD-{number * 7919 % 1500:05}",
        "terminal": f"TRM-{number % 20 + 1:02}",
        "amount": f"{10 + number % 190}.50",
    }
    return post("/api/fraud/score", body, key)


def _is_transaction(event: object) -> bool:
    return isinstance(event, Transaction)
