"""What /api/models shows: models, versions, decisions and the live figures of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.fraud.served import Tried
from app.trials.figures import Share, Side
from app.trials.trials import Trials
from app.trials.variants import variant_name
from core.gates import Finding
from core.registry_tables import write_metrics
from core.versions import Decision, Kind, Mode, Standing, Version
from tabular.fraud.trials import Bands, Compared


class PlanView(BaseModel):
    """How a challenger is tried; `percent` is a canary's share of the people."""

    mode: Mode
    percent: int


class MetricView(BaseModel):
    """A figure over `cases` cases, with its 95 % interval; one that does not gate is told and never compared.

    With a `limit`, no version is promoted whose value is worse than that.
    """

    value: float
    low: float
    high: float
    cases: int
    lower_is_better: bool
    gates: bool
    limit: float | None = None


class FileView(BaseModel):
    """A file of a version; its size in bytes."""

    name: str
    sha256: str
    size: int


class LineageView(BaseModel):
    """What a version was made of: hashes of its base, its data and its recipe, and the revision of the code."""

    base: str
    data: str
    recipe: str
    code: str


class VersionView(BaseModel):
    """A version of a model. `created_by` is a key, or `local:` and a user of the machine."""

    object: str
    model: str
    version: int
    kind: Kind
    metrics: dict[str, MetricView]
    created_by: str
    created_at: datetime


class WholeVersion(VersionView):
    """A version with its files, its lineage, and its model card as Markdown."""

    files: list[FileView]
    lineage: LineageView
    card: str


class ModelView(BaseModel):
    """Where a model stands. `champion` and `challenger` are versions; `since` is when that last changed.

    `previous` are the champions that a rollback goes back to, the latest last; `barred` were rolled back.
    """

    object: str
    name: str
    kind: Kind
    versions: int
    champion: int | None
    previous: list[int]
    challenger: int | None
    plan: PlanView | None
    barred: list[int]
    since: datetime
    data: list[VersionView] | None = None


class ModelList(BaseModel):
    """The registered models, by name."""

    object: str
    data: list[ModelView]


class FindingView(BaseModel):
    """One thing that was looked at, and whether it stood in the way."""

    metric: str
    refuses: bool
    words: str


class Findings(ModelView):
    """Where the model stands after a promotion, and what the gate found."""

    findings: list[FindingView]


class DecisionView(BaseModel):
    """An entry of the promotion ledger: `before` and `after` are versions; `hash` is its own in the chain."""

    number: int
    at: datetime
    by: str
    action: str
    alias: str | None
    before: int | None
    after: int | None
    why: str
    findings: list[FindingView]
    hash: str


class DecisionList(BaseModel):
    """The decisions about a model, oldest first. `broken` says where the ledger was tampered with, if it was."""

    object: str
    data: list[DecisionView]
    broken: str | None


class SideView(BaseModel):
    """One side of a trial. Seconds are of the latest good answers, to a stream's first piece; ratings are thumbs."""

    answers: int
    errors: int
    p50_seconds: float | None
    p90_seconds: float | None
    ratings: int
    disliked: int


class BandsView(BaseModel):
    """How many payments a side lets pass, wants looked at and refuses; `cost` is in money, a payment of known cost."""

    allow: int
    review: int
    block: int
    cost: float | None


class DearerView(BaseModel):
    """By how much money a payment the challenger is dearer, with its 95 % interval."""

    value: float
    low: float
    high: float


class PaymentsView(BaseModel):
    """Both sides of a trial on the same payments. `known` of them have a known cost, `frauds` of those were fraud.

    A cost is known when it was reported what the payment was, or after a week without a report.
    """

    champion: BandsView
    challenger: BandsView
    known: int
    frauds: int
    apart: int
    dearer: DearerView | None


class TrialView(BaseModel):
    """A model's trial as this process sees it; the figures are null where none is going on here.

    `serving` is the engine that answers as the champion. A shadow has `agreement`, from 0 to 1 over `compared` answers.
    Of a model of payments `agreement` is the share of those that get the same band, `payments` has the rest, and
    `sides` is null.
    """

    object: str
    model: str
    serving: str | None
    challenger: int | None
    plan: PlanView | None
    since: datetime | None
    sides: dict[str, SideView] | None
    compared: int
    agreement: float | None
    skipped: int
    faults: dict[str, int]
    payments: PaymentsView | None = None


def model_view(standing: Standing, versions: Sequence[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The JSON of where a model stands, with its versions where they are given."""
    return {
        "object": "registered_model",
        "name": standing.model,
        "kind": standing.kind,
        "versions": standing.versions,
        "champion": standing.champion,
        "previous": list(standing.champions[:-1]),
        "challenger": standing.challenger,
        "plan": None if standing.plan is None else asdict(standing.plan),
        "barred": list(standing.barred),
        "since": standing.since,
        "data": None if versions is None else list(versions),
    }


def version_view(version: Version) -> dict[str, Any]:
    """The JSON of a version in a list."""
    return {
        "object": "model_version",
        "model": version.model,
        "version": version.number,
        "kind": version.kind,
        "metrics": write_metrics(version.metrics),
        "created_by": version.by,
        "created_at": version.at,
    }


def whole_view(version: Version) -> dict[str, Any]:
    """The JSON of a whole version."""
    files = [asdict(each) for each in version.files]
    return {**version_view(version), "files": files, "lineage": asdict(version.lineage), "card": version.card}


def finding_view(finding: Finding) -> dict[str, Any]:
    """The JSON of a finding."""
    return asdict(finding)


def decision_view(decision: Decision) -> dict[str, Any]:
    """The JSON of an entry of the ledger."""
    return asdict(decision)


def trial_view(standing: Standing, trials: Trials) -> dict[str, Any]:
    """The JSON of a model's trial and its live figures."""
    here = trials.model == standing.model
    trial = trials.engine.trial if here else None
    figures = None if trial is None else trial.figures
    return {
        "object": "model_trial",
        "model": standing.model,
        "serving": trials.engine.name if here else None,
        "challenger": standing.challenger,
        "plan": None if standing.plan is None else asdict(standing.plan),
        "since": None if trial is None else trial.since,
        "sides": figures and {"champion": _side(figures.champion), "challenger": _side(figures.challenger)},
        "compared": figures.compared if figures else 0,
        "agreement": figures.agreement if figures and figures.compared else None,
        "skipped": figures.skipped if figures else 0,
        "faults": dict(figures.faults) if figures else {},
    }


def payments_trial_view(standing: Standing, tried: Tried | None, compared: Compared | None) -> dict[str, Any]:
    """The JSON of a trial on payments, which is `tried` here."""
    seen = compared.seen if compared else 0
    return {
        "object": "model_trial",
        "model": standing.model,
        "serving": None if standing.champion is None else variant_name(standing.model, standing.champion),
        "challenger": standing.challenger,
        "plan": None if standing.plan is None else asdict(standing.plan),
        "since": None if tried is None else tried.since,
        "sides": None,
        "compared": seen,
        "agreement": compared.alike / seen if compared and seen else None,
        "skipped": 0,
        "faults": {},
        "payments": None if compared is None else _payments(compared),
    }


def _payments(compared: Compared) -> dict[str, Any]:
    dearer = compared.dearer()
    money = None if dearer is None else [round(each / 100, 4) for each in dearer]
    return {
        "champion": _bands(compared.champion, compared.champion_cost, compared.known),
        "challenger": _bands(compared.challenger, compared.challenger_cost, compared.known),
        "known": compared.known,
        "frauds": compared.frauds,
        "apart": compared.apart,
        "dearer": money and dict(zip(("value", "low", "high"), money, strict=True)),
    }


def _bands(bands: Bands, cents: float, known: int) -> dict[str, Any]:
    return {**asdict(bands), "cost": round(cents / known / 100, 4) if known else None}


def _side(side: Side) -> dict[str, Any]:
    ratings: Share = side.ratings
    return {
        "answers": side.answers,
        "errors": side.errors,
        "p50_seconds": side.quantile(0.5),
        "p90_seconds": side.quantile(0.9),
        "ratings": ratings.of,
        "disliked": ratings.bad,
    }
