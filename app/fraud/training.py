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

from app.drift.sampling import fraud_sample
from core.errors import InvalidInput
from core.gates import Interval, Metric
from core.versions import Candidate, Kind, Lineage
from tabular.drift.concept import Outcomes, figures
from tabular.drift.reference import FILE, Figure, Reference, describe
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
    """A model on everything that is known, and what models trained before each of the last stretches say of those.

    `reference` is what drift is measured against; None where the log has a week without a transaction.
    """

    model: FraudModel
    rows: int
    frauds: int
    data: str
    metrics: dict[str, Metric]
    reference: Reference | None


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
    judged = forward(rows, definition)
    say(f"measured forward in time on {len(judged.scores):,}")
    model = train(rows, definition.version, definition.names)
    reference = None
    try:
        end = min(now - DELAY, int(rows.at.max()) + 1)
        reference = reference_of(model, rows, judged, (first or 0) + WARM_UP, end)
    except InvalidInput as problem:
        say(f"drift will not be watched: {problem.message}")
    return TrainedFraud(model, len(rows), frauds, digest.hexdigest(), _metrics(judged), reference)


def reference_of(model: FraudModel, rows: Examples, judged: Outcomes, begin: int, end: int) -> Reference:
    """What drift of the model is measured against: what it was trained on between two moments (ms), and how models
    before it were judged.

    Raises `InvalidInput` for less than a week, or a week without a transaction.
    """
    told: tuple[Figure, ...] = figures(judged, int(judged.at.min()), end)
    sample = fraud_sample(rows.at, rows.vectors, model.probabilities(rows.vectors))
    return describe(sample, begin, end, model=model.sha256, features=model.version, figures=told)


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
    files = trained.model.save(folder)
    if trained.reference is not None:
        files[FILE] = folder / FILE
        files[FILE].write_bytes(trained.reference.dump())
    return Candidate(
        model="fraud",
        kind=Kind.TABULAR,
        files=files,
        lineage=Lineage("", trained.data, recipe.hexdigest(), code),
        metrics=trained.metrics,
        card=card,
    )


def forward(rows: Examples, definition: FraudFeatures) -> Outcomes:
    """Cut the latter half of the time into stretches, and judge each by what was known before it.

    Raises `InvalidInput` when there is no fraud in it.
    """
    begin, end = int(rows.at.min()), int(rows.at.max()) + 1
    edges = np.linspace(begin + (end - begin) / 2, end, FOLDS + 1)
    parts: list[tuple[Examples, Floats]] = []
    for start, stop in pairwise(edges):
        past = rows.where(rows.at < start - DELAY)
        now = rows.where((rows.at >= start) & (rows.at < stop))
        if not len(now) or past.fraud.all() or not past.fraud.any():
            continue
        model = train(past, definition.version, definition.names)
        parts.append((now, model.probabilities(now.vectors)))
    fraud = np.concatenate([part.fraud for part, _ in parts]) if parts else np.empty(0, dtype=np.bool_)
    if not fraud.any() or fraud.all():
        raise InvalidInput("the latter half of the log has no frauds to be measured on", param="data")
    at, cards = (np.concatenate([getattr(part, name) for part, _ in parts]) for name in ("at", "cards"))
    return Outcomes(at, cards, np.concatenate([scores for _, scores in parts]), fraud)


def _metrics(judged: Outcomes) -> dict[str, Metric]:
    measures = {"forward/auc": auc, "forward/average-precision": average_precision}
    return {name: Metric(_interval(judged, measure)) for name, measure in measures.items()}


def _interval(judged: Outcomes, measure: Callable[[Sequence[Day]], float]) -> Interval:
    """The figure, and its bootstrap percentiles over transactions."""
    scores, fraud = judged.scores, judged.positive
    random = np.random.default_rng(0)
    found = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(scores), len(scores))
        if 0 < fraud[drawn].sum() < len(drawn):
            found.append(measure([Day([], scores[drawn].tolist(), fraud[drawn].tolist())]))
    low, high = np.percentile(found, (2.5, 97.5))
    whole = measure([Day([], scores.tolist(), fraud.tolist())])
    return Interval(whole, float(low), float(high), len(scores))
