"""A model that a federation made, as a version of the registry: with what it cost in privacy on its card."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson

from app.federated.federations import Federation, Federations, Round
from core.gates import Interval, Metric, wilson
from core.registry import Registry
from core.types import Principal
from core.versions import Candidate, Kind, Lineage, Version
from tabular.federated.model import FederatedModel, hits
from tabular.federated.task import Rows


async def register(federations: Federations, registry: Registry, by: Principal, name: str) -> Version:
    """Register the federation's model under the federation's name; the same model once more is the same version.

    Raises `NotFound`, and `Conflict` when there is no model yet, or the registry has one of another kind by this name.
    """
    model = await federations.model(by.tenant, name)
    federation = await federations.get(by.tenant, name)
    held = [each for each in await federations.rounds(by.tenant, name) if each.closed_at is not None]
    public = await federations.evaluation(by.tenant, name)
    rows = await asyncio.to_thread(model.task.rows, public)
    with tempfile.TemporaryDirectory() as folder:
        candidate = _candidate(federation, model, held, rows, Path(folder))
        return await registry.register(candidate, by.key_id)


def _candidate(federation: Federation, model: FederatedModel, held: list[Round], rows: Rows, folder: Path) -> Candidate:
    """What it learned from nobody has: the history of the rounds stands for the data."""
    history = [[each.number, each.opened_at.isoformat(), each.drawn, each.answered] for each in held]
    terms = [federation.task.model_dump(mode="json"), federation.plan.model_dump(mode="json"), federation.noise]
    lineage = Lineage("", _hash(history), _hash(terms), f"wayside {version('wayside')}")
    return Candidate(
        model=federation.name,
        kind=Kind.TABULAR,
        files=model.save(folder),
        lineage=lineage,
        metrics=_metrics(model, rows),
        card=_card(federation, model, rows),
    )


def _metrics(model: FederatedModel, rows: Rows) -> dict[str, Metric]:
    spent = Interval(model.epsilon, model.epsilon, model.epsilon, model.rounds)
    told = {"privacy/epsilon": Metric(spent, lower_is_better=True, gates=False)}
    if len(rows):
        right = int(_right(model, rows))
        told["public/accuracy"] = Metric(Interval(right / len(rows), *wilson(right, len(rows)), len(rows)))
    return told


def _card(federation: Federation, model: FederatedModel, rows: Rows) -> str:
    plan = federation.plan
    measured = f" Right on {_right(model, rows) / len(rows):.1%} of {len(rows):,} public rows.\n" if len(rows) else "\n"
    return (
        f"# {federation.name}\n\n{federation.about}\n\nA logistic regression over {len(model.weights)} features, "
        f"trained on devices that kept their rows, in {model.rounds} rounds.{measured}\n"
        f"## Privacy\n\nepsilon {model.epsilon:.3f} at delta {model.delta:.3g} for one device, which is one principal "
        f"(add or remove one). Each round drew devices with probability {plan.share:g}; updates were clipped to "
        f"{plan.clip:g} by the server, their sum got normal noise of {federation.noise:.3f} times that, and was "
        f"divided by {plan.expected:g}. The server that summed them up was trusted: it saw each update.\n"
    )


def _right(model: FederatedModel, rows: Rows) -> float:
    return float(hits(np.asarray(model.weights), rows).sum())


def _hash(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value)).hexdigest()
