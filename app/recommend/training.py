"""Training the model of recommendations from a tenant's event log, measured forward in time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.recommend.served import MODEL
from core.errors import InvalidInput
from core.gates import Metric
from core.versions import Candidate, Kind, Lineage
from tabular.eventlog import EventLog
from tabular.events import Event
from tabular.recommend import blend, factors, learning, relations
from tabular.recommend.forward import DEPTH, Forward, bootstrapped, measured_forward
from tabular.recommend.model import Model
from tabular.recommend.purchases import PurchaseLog
from tabular.recommend.records import PURCHASES, purchases
from tabular.recommend.storing import FORMAT, save
from tabular.recommend.training import CUTS, HORIZON, Catalogue, train

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """What turns titles into vectors, the gateway's own."""

    @property
    def fingerprint(self) -> str:
        """Equal for vectors that may be compared."""

    async def aembed(self, texts: Sequence[str]) -> Vectors:
        """Texts → (texts, d)."""


@dataclass(frozen=True, slots=True)
class TrainedRecommender:
    """A model of everything that is known, and what one of four weeks ago said of what came then."""

    model: Model
    baskets: int
    customers: int
    data: str
    metrics: Mapping[str, Metric]


async def train_recommend(
    log: EventLog,
    tenant: str,
    titles: Mapping[str, str],
    embedder: Embedder,
    *,
    now: float,
    say: Callable[[str], None],
) -> TrainedRecommender:
    """Read the tenant's purchases from the log, and train on them. `now` is in days since 1970.

    `titles` are the products by SKU, those that nobody bought yet among them. Raises `InvalidInput` when too little
    is known.
    """
    events: list[Event] = []
    digest = hashlib.sha256()
    async for entry in log.read(tenant, PURCHASES):
        digest.update(f"{entry.number} {entry.event.kind} {entry.event.id}\n".encode())
        events.append(entry.event)
    bought = PurchaseLog.of(purchases(events)).before(now)
    if not len(bought):
        raise InvalidInput("the log has no purchases: wayside tabular import --purchases", param="data")
    say(f"{len(bought.baskets):,} baskets of {len(bought.customers):,} customers")
    catalogue = await _catalogue(titles, embedder)
    digest.update(json.dumps(sorted(titles.items())).encode())
    forward = measured_forward(bought, catalogue)
    say(f"measured forward in time on {len(forward.model):,} customers")
    # What sells is told as of the last purchase: a log that ended a while ago has not become unpopular since.
    model = train(bought, catalogue)
    return TrainedRecommender(model, len(bought.baskets), len(bought.customers), digest.hexdigest(), _metrics(forward))


def candidate(trained: TrainedRecommender, folder: Path, code: str) -> Candidate:
    """The model as a version to be registered; its files are written into the folder."""
    recipe = {
        "format": FORMAT,
        "cuts": CUTS,
        "horizon": HORIZON,
        "depths": blend.DEPTHS,
        "pull": learning.PULL,
        "evidence": learning.EVIDENCE,
        "factors": [factors.SIZE, factors.ALPHA, factors.RIDGE, factors.SWEEPS],
        "relations": [relations.SHRINKAGE, relations.RIDGE, relations.DENSE, relations.REACH, relations.UNSEEN],
        "embedding": trained.model.embedding,
    }
    figures = "\n".join(
        f"* {name}: {metric.interval.value:.3f} ({metric.interval.low:.3f} to {metric.interval.high:.3f})"
        for name, metric in trained.metrics.items()
    )
    card = (
        f"# What customers buy next\n\nTrained on {trained.baskets:,} baskets of {trained.customers:,} customers, to "
        f"tell among {len(trained.model.items):,} products.\n\nForward in time, each customer's first basket in the "
        f"last {HORIZON:g} days by a model of what was known before:\n\n{figures}\n"
    )
    return Candidate(
        model=MODEL,
        kind=Kind.TABULAR,
        files=save(trained.model, folder),
        lineage=Lineage("", trained.data, hashlib.sha256(json.dumps(recipe).encode()).hexdigest(), code),
        metrics=trained.metrics,
        card=card,
    )


async def _catalogue(titles: Mapping[str, str], embedder: Embedder) -> Catalogue:
    """The products with their titles' vectors, each made once: a training looks at them several times."""
    texts = sorted({title for title in titles.values() if title})
    if not texts:
        return Catalogue(titles)
    vectors = await embedder.aembed(texts)
    by_text = dict(zip(texts, vectors, strict=True))
    nothing = np.zeros(vectors.shape[1], np.float32)

    def embed(wanted: Sequence[str]) -> Vectors:
        return np.stack([by_text.get(text, nothing) for text in wanted])

    return Catalogue(titles, embed, embedder.fingerprint)


def _metrics(forward: Forward) -> dict[str, Metric]:
    return {
        f"forward/recall-{DEPTH}": Metric(bootstrapped(forward.model)),
        f"forward/gain-over-popularity-{DEPTH}": Metric(bootstrapped(forward.model - forward.popularity)),
        f"forward/popularity-recall-{DEPTH}": Metric(bootstrapped(forward.popularity), gates=False),
    }
