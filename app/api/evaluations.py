"""/api/evals: what evaluation found, for engineers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from app.api.json import Json, listing
from app.auth import Engineer
from app.errors import responses
from app.evaluations import ID, Evaluation, Evaluations

# A report is one page with its own styles and plots; it runs nothing, fetches nothing, and nobody frames it.
REPORT_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-cache",
}
"""With which a report is served."""

EvaluationId = Annotated[str, Path(pattern=ID)]


class MetricView(BaseModel):
    """A figure over `cases` cases, and the ends of its 95 % interval; null where it is one figure over all of them."""

    value: float
    low: float | None
    high: float | None
    cases: int


class EvaluationView(BaseModel):
    """A finished run of a suite on `data`. `errors` counts the cases that ended in one: then no figure counts."""

    object: str
    id: str
    suite: str
    created_at: datetime
    data: str
    metrics: dict[str, MetricView]
    facts: dict[str, str]
    cases: int
    errors: int
    seconds: float


class EvaluationList(BaseModel):
    """One page of evaluations, the latest first; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[EvaluationView]
    has_more: bool


def routes(evaluations: Evaluations) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/evals", tags=["evals"])

    @router.get("", response_model=EvaluationList, responses=responses(403))
    async def list_evaluations(
        caller: Engineer,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=ID)] = None,
    ) -> Response:
        """List the evaluations that `wayside eval` stored in the workspace."""
        found = await asyncio.to_thread(evaluations.list, caller.tenant, limit=limit + 1, after=after)
        return listing([_view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{evaluation_id}", response_model=EvaluationView, responses=responses(403, 404))
    async def get_evaluation(evaluation_id: EvaluationId, caller: Engineer) -> Response:
        """Show an evaluation's figures."""
        return Json(_view(await asyncio.to_thread(evaluations.get, caller.tenant, evaluation_id)))

    @router.get(
        "/{evaluation_id}/report",
        # No class that says HTML: the refusals are JSON.
        response_class=Response,
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **responses(403, 404)},
    )
    async def get_report(evaluation_id: EvaluationId, caller: Engineer) -> Response:
        """Show an evaluation's report: its figures as plots, and the cases that went worst."""
        page = await asyncio.to_thread(evaluations.report, caller.tenant, evaluation_id)
        return HTMLResponse(page, headers=REPORT_HEADERS)

    return router


def _view(evaluation: Evaluation) -> dict[str, Any]:
    return {"object": "evaluation", **evaluation.model_dump(mode="json", exclude={"tenant"})}
