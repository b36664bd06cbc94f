"""/api/fraud: decisions about card transactions, and what these turned out to be. For the company's own systems."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from math import isnan
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Staff
from app.errors import responses
from app.fraud.payments import NAME, Payment
from tabular.fraud.costs import Band
from tabular.fraud.decisions import Decisions, Outcome, Recorded
from tabular.fraud.live import LiveFraud

TransactionId = Annotated[str, Path(pattern=NAME)]
_MOST = 500


class NewTransactions(BaseModel):
    """Several transactions, decided about in their order."""

    model_config = ConfigDict(extra="forbid")

    transactions: list[Payment] = Field(min_length=1, max_length=_MOST)


class Report(BaseModel):
    """What a transaction turned out to be."""

    model_config = ConfigDict(extra="forbid")

    outcome: Outcome


class ReasonView(BaseModel):
    """What speaks for fraud: a feature with its value and its share of the log odds, or a rule (weight 0)."""

    feature: str
    value: float | None
    weight: float
    text: str


class DecisionView(BaseModel):
    """A decision. `probability` and `model` are null where no model is in force and the rules decided alone.

    `features` holds every feature by name, null where it was not known, as they were when it was decided.
    """

    object: str = "fraud.decision"
    transaction_id: str
    at: datetime
    card: str
    terminal: str
    amount: str
    band: Band
    probability: float | None
    reasons: list[ReasonView]
    rules: list[str]
    features: dict[str, float | None]
    features_version: str
    model: str | None
    number: int
    decided_at: datetime
    outcome: Outcome | None
    outcome_by: str | None
    outcome_at: datetime | None


class DecisionList(BaseModel):
    """Decisions; a page of the queue has the latest first, and the next begins `before` the last `number`."""

    object: str
    data: list[DecisionView]
    has_more: bool


def routes(live: LiveFraud, decisions: Decisions, names: tuple[str, ...]) -> APIRouter:
    """The router of this surface; `names` are the features'."""
    router = APIRouter(prefix="/api/fraud", tags=["fraud"], route_class=StrictJsonRoute)

    def view(each: Recorded) -> dict[str, Any]:
        return _view(each, names)

    @router.post("/score", response_model=DecisionView, responses=responses(403, 409, 422))
    async def score(body: Payment, caller: Staff) -> Response:
        """Decide about a transaction, once: the same one again gets the same decision."""
        return Json(view(await live.score(caller.tenant, body.transaction())))

    @router.post("/score/batch", response_model=DecisionList, responses=responses(403, 409, 422))
    async def score_batch(body: NewTransactions, caller: Staff) -> Response:
        """Decide about several transactions in their order. When one is refused, all are, and nothing is kept."""
        transactions = [each.transaction() for each in body.transactions]
        return listing([view(each) for each in await live.score_all(caller.tenant, transactions)], has_more=False)

    @router.get("/decisions", response_model=DecisionList, responses=responses(403))
    async def list_decisions(
        caller: Staff,
        band: Annotated[Band | None, Query()] = None,
        undecided: Annotated[bool, Query(description="only those whose outcome is not known")] = False,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        before: Annotated[int | None, Query(ge=1, le=2**53, description="a decision's number")] = None,
    ) -> Response:
        """List decisions, the latest first: with `band=review&undecided=true`, what people have to look at."""
        found = await decisions.list(caller.tenant, band=band, undecided=undecided, limit=limit + 1, before=before)
        return listing([view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/decisions/{transaction_id}", response_model=DecisionView, responses=responses(403, 404))
    async def get_decision(transaction_id: TransactionId, caller: Staff) -> Response:
        """One decision."""
        return Json(view(await decisions.get(caller.tenant, transaction_id)))

    @router.post("/decisions/{transaction_id}/outcome", response_model=DecisionView, responses=responses(403, 404))
    async def report_outcome(transaction_id: TransactionId, body: Report, caller: Staff) -> Response:
        """Say what a transaction turned out to be. The latest word stands; models learn from it."""
        return Json(view(await live.report(caller, transaction_id, body.outcome)))

    return router


def _view(recorded: Recorded, names: tuple[str, ...]) -> dict[str, Any]:
    transaction, decision = recorded.transaction, recorded.decision
    values = (None if isnan(value) else value for value in decision.vector.tolist())
    return {
        "object": "fraud.decision",
        "transaction_id": transaction.id,
        "at": datetime.fromtimestamp(transaction.at / 1000, UTC),
        "card": transaction.card,
        "terminal": transaction.terminal,
        "amount": str(Decimal(transaction.cents).scaleb(-2)),
        "band": decision.band.value,
        "probability": decision.probability,
        "reasons": decision.reasons,
        "rules": list(decision.rules),
        "features": dict(zip(names, values, strict=True)),
        "features_version": decision.features,
        "model": decision.model,
        "number": recorded.number,
        "decided_at": recorded.decided_at,
        "outcome": recorded.outcome,
        "outcome_by": recorded.outcome_by,
        "outcome_at": recorded.outcome_at,
    }
