"""Training the model of fraud from a tenant's event log, measured forward in time."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import orjson

from core.errors import InvalidInput
from core.gates import Interval, Metric
from core.versions import Candidate, Kind, Lineage
from tabular.eventlog import EventLog
from tabular.features import Floats
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.examples import Examples, examples
from tabular.fraud.features import DELAY, FraudFeatures
from tabular.fraud.measures import Day, auc, average_precision
from tabular.fraud.model import PARAMETERS, ROUNDS, FraudModel, train
from tabular.fraud.records import KINDS, fraud_event

FOLDS = 4
WARM_UP = 45 * DAY
"""The first days of a log have features that look back on nothing."""

LEAST_FRAUDS = 20
_RESAMPLES = 100


@dataclass(frozen=True, slots=True)
class TrainedFraud:
    """A model on everything that is known, and what models trained before each of the last stretches say of those."""

    model: FraudModel
    rows: int
    frauds: int
    data: str
    metrics: dict[str, Metric]


async def train_fraud(log: EventLog, tenant: str, *, now: int, say: Callable[[str], None]) -> TrainedFraud:
    """Replay the tenant's log and train on it. `now` is in milliseconds: what happened in the week before is left out.

    Raises `InvalidInput` when too little is known.
    """
    definition = FraudFeatures()
    state = definition.start()
    standing: dict[str, int] = defaultdict(int)
    replayed: list[tuple[Transaction, Floats]] = []
    digest = hashlib.sha256()
    first: int | None = None
    async for entry in log.read(tenant, KINDS):
        digest.update(f"{entry.number} {entry.event.kind} {entry.event.id}\n".encode())
        event = fraud_event(entry.event)
        first = event.at if first is None else min(first, event.at)
        if isinstance(event, Transaction):
            if first + WARM_UP <= event.at < now - DELAY:
                replayed.append((event, definition.vector(state, event)))
        else:
            standing[entry.event.body["transaction"]] += event.change
        definition.update(state, event)
    rows = examples(replayed, {name: total > 0 for name, total in standing.items()})
    frauds = int(rows.fraud.sum()) if len(rows) else 0
    if frauds < LEAST_FRAUDS:
        told = (
            f"{frauds} frauds are known after the first {WARM_UP // DAY} days of the log: {LEAST_FRAUDS} are the least"
        )
        raise InvalidInput(told, param="data")
    say(f"{len(rows):,} transactions, {frauds:,} of them fraud")
    judged = _forward(rows, definition)
    say(f"measured forward in time on {len(judged.scores):,}")
    model = train(rows, definition.version, definition.names)
    return TrainedFraud(model, len(rows), frauds, digest.hexdigest(), _metrics(judged))


def candidate(trained: TrainedFraud, folder: Path, code: str) -> Candidate:
    """The model as a version to be registered; its files are written into the folder."""
    recipe = hashlib.sha256(orjson.dumps({**PARAMETERS, "rounds": ROUNDS, "features": trained.model.version}))
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        for name, metric in trained.metrics.items()
    )
    card = (
        f"# Fraud on cards\n\nLightGBM, {ROUNDS} trees over {len(trained.model.names)} features "
        f"({trained.model.version}), trained on {trained.rows:,} transactions, {trained.frauds:,} of them fraud.\n\n"
        f"Forward in time, {FOLDS} stretches, each judged by a model of what was known a week before it:\n\n{figures}\n"
    )
    return Candidate(
        model="fraud",
        kind=Kind.TABULAR,
        files=trained.model.save(folder),
        lineage=Lineage("", trained.data, recipe.hexdigest(), code),
        metrics=trained.metrics,
        card=card,
    )


def _forward(rows: Examples, definition: FraudFeatures) -> Day:
    """Cut the latter half of the time into stretches, and judge each by what was known before it."""
    begin, end = int(rows.at.min()), int(rows.at.max()) + 1
    edges = np.linspace(begin + (end - begin) / 2, end, FOLDS + 1)
    cards, scores, fraud = list[str](), list[float](), list[bool]()
    for start, stop in pairwise(edges):
        past = rows.where(rows.at < start - DELAY)
        now = rows.where((rows.at >= start) & (rows.at < stop))
        if not len(now) or past.fraud.all() or not past.fraud.any():
            continue
        model = train(past, definition.version, definition.names)
        cards += now.cards.tolist()
        scores += model.probabilities(now.vectors).tolist()
        fraud += now.fraud.tolist()
    if not any(fraud) or all(fraud):
        raise InvalidInput("the latter half of the log has no frauds to be measured on", param="data")
    return Day(cards, scores, fraud)


def _metrics(judged: Day) -> dict[str, Metric]:
    measures = {"forward/auc": auc, "forward/average-precision": average_precision}
    return {name: Metric(_interval(judged, measure)) for name, measure in measures.items()}


def _interval(judged: Day, measure: Callable[[Sequence[Day]], float]) -> Interval:
    """The figure, and its bootstrap percentiles over transactions."""
    scores, fraud = np.asarray(judged.scores), np.asarray(judged.fraud)
    random = np.random.default_rng(0)
    found = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(scores), len(scores))
        if 0 < fraud[drawn].sum() < len(drawn):
            found.append(measure([Day([], scores[drawn].tolist(), fraud[drawn].tolist())]))
    low, high = np.percentile(found, (2.5, 97.5))
    return Interval(measure([judged]), float(low), float(high), len(scores))
