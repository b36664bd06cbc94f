"""/api/drift: whether the served models still meet, and achieve, what they were made for. For staff and engineers.

A check shows what the installation's model was trained on beside what it meets, so only the installation's own tenant
may have one made.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from app.api.evaluations import REPORT_HEADERS
from app.api.json import Json, listing
from app.auth import Engineer, Staff
from app.drift.checks import ID, Kept, Open, State
from app.drift.report import page
from app.drift.watching import Watch
from app.errors import responses
from core.errors import Forbidden
from core.versions import NAME
from tabular.drift.results import About, Achieved, Compared

CheckId = Annotated[str, Path(pattern=ID)]
ModelName = Annotated[str, Path(pattern=NAME)]


class FindingView(BaseModel):
    """Something that has moved: by how much beyond chance, the bound it passed, and its probability after Holm.

    `judged` is false where the last check could not look, so that it stands as it stood.
    """

    name: str
    about: About
    measure: str
    effect: float
    bound: float
    p: float
    words: str
    since: datetime
    judged: bool


class ColumnView(BaseModel):
    """A column: its stability index, the part of it that chance makes, and shares by bin then and now."""

    name: str
    group: bool
    psi: float
    psi_chance: float
    psi_p: float
    ks: float | None
    ks_p: float | None
    inflation: float
    bins: list[str]
    before: list[float]
    now: list[float]


class FigureView(BaseModel):
    """What the model achieved where outcomes are known, and the 95 % interval of what is usual."""

    name: str
    now: float
    usual: float
    low: float
    high: float
    p: float


class CheckView(BaseModel):
    """A check of a model's version over a window. `unknown` says what nothing could be said about, and why."""

    object: str
    id: str
    model: str
    version: int | None
    at: datetime
    begin: datetime
    end: datetime
    rows: int
    matured: int
    state: State
    findings: list[FindingView]
    unknown: list[str]


class CheckDetail(CheckView):
    """A check with every column and figure that was looked at."""

    columns: list[ColumnView]
    figures: list[FigureView]


class CheckList(BaseModel):
    """One page of checks, the latest first; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[CheckView]
    has_more: bool


def routes(watch: Watch, tenant: str) -> APIRouter:
    """The router of this surface; `tenant` is the installation's own."""
    router = APIRouter(prefix="/api/drift", tags=["drift"])
    checks = watch.checks

    @router.get("", response_model=CheckList, responses=responses(403))
    async def list_checks(
        caller: Staff,
        model: Annotated[str | None, Query(pattern=NAME)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=ID)] = None,
    ) -> Response:
        """List checks: the first one of a model is how it stands."""
        found = await checks.list(caller.tenant, model=model, limit=limit + 1, after=after)
        return listing([_view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{check_id}", response_model=CheckDetail, responses=responses(403, 404))
    async def get_check(check_id: CheckId, caller: Staff) -> Response:
        """Show a check with everything that was looked at."""
        return Json(_detail(await checks.get(caller.tenant, check_id)))

    @router.get(
        "/{check_id}/report",
        response_class=Response,
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **responses(403, 404)},
    )
    async def get_drift_report(check_id: CheckId, caller: Staff) -> Response:
        """Show a check as a page with plots."""
        kept = await checks.get(caller.tenant, check_id)
        return HTMLResponse(await asyncio.to_thread(page, kept), headers=REPORT_HEADERS)

    @router.post("/{model}/check", status_code=201, response_model=CheckDetail, responses=responses(403, 404, 501))
    async def check_model(model: ModelName, caller: Engineer) -> Response:
        """Look at a model now. The next check comes as long after it as the settings say."""
        if caller.tenant != tenant:
            raise Forbidden("The models belong to the installation: this needs a key of its own tenant.")
        return Json(_detail(await watch.check(caller.tenant, model)), 201)

    return router


def _view(kept: Kept) -> dict[str, Any]:
    return {
        "object": "drift.check",
        "id": kept.id,
        "model": kept.of.model,
        "version": kept.of.version,
        "at": kept.at,
        "begin": kept.of.begin,
        "end": kept.of.end,
        "rows": kept.of.rows,
        "matured": kept.of.matured,
        "state": kept.state.value,
        "findings": [_finding(each) for each in kept.findings],
        "unknown": list(kept.of.check.unknown),
    }


def _detail(kept: Kept) -> dict[str, Any]:
    check = kept.of.check
    return {
        **_view(kept),
        "columns": [_column(each) for each in check.compared],
        "figures": [_figure(each) for each in check.achieved],
    }


def _finding(opened: Open) -> dict[str, Any]:
    found = opened.finding
    return {
        "name": found.name,
        "about": found.about.value,
        "measure": found.measure,
        "effect": found.effect,
        "bound": found.bound,
        "p": found.p,
        "words": found.words,
        "since": opened.since,
        "judged": opened.judged,
    }


def _column(column: Compared) -> dict[str, Any]:
    return {
        "name": column.name,
        "group": column.group,
        "psi": column.psi.distance,
        "psi_chance": column.psi.chance,
        "psi_p": column.psi.p,
        "ks": None if column.ks is None else column.ks.distance,
        "ks_p": None if column.ks is None else column.ks.p,
        "inflation": column.usual.inflation,
        "bins": column.bins,
        "before": column.before,
        "now": column.now,
    }


def _figure(figure: Achieved) -> dict[str, Any]:
    return {
        "name": figure.name,
        "now": figure.now,
        "usual": figure.before,
        "low": figure.low,
        "high": figure.high,
        "p": figure.p,
    }
