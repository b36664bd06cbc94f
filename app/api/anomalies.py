"""/api/anomalies: rows of the company's that are unlike the others, with what is odd in words. For staff."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.anomalies.served import ServedAnomalies
from app.api.json import Json, StrictJsonRoute
from app.auth import Staff
from app.errors import responses
from tabular.tasks.numbers import MOST_COLUMNS

_MOST = 500

# Neither text nor yes and no become numbers.
Cell = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None


class NumberRows(BaseModel):
    """Rows to be judged, each with every column that the model meets. Null stands for what is not known."""

    model_config = ConfigDict(extra="forbid")

    rows: list[Annotated[dict[str, Cell], Field(max_length=MOST_COLUMNS)]] = Field(min_length=1, max_length=_MOST)


class OddityView(BaseModel):
    """A column in which the row is far out, with its share of the score; the largest comes first."""

    column: str
    value: float
    weight: float
    text: str


class AnomalyView(BaseModel):
    """How far out a row is. It is unusual from the threshold on."""

    object: str
    unusual: bool
    score: float
    threshold: float
    oddities: list[OddityView]


class AnomalyScores(BaseModel):
    """What the model, the version in the registry, says of each row, in their order."""

    object: str
    model: int
    data: list[AnomalyView]


def routes(served: ServedAnomalies) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/anomalies", tags=["anomalies"], route_class=StrictJsonRoute)

    @router.post("/score", response_model=AnomalyScores, responses=responses(403, 409, 422))
    async def score_anomalies(body: NumberRows, caller: Staff) -> Response:
        """Say which rows are unusual, and in what. When one is refused, all are; nothing is kept."""
        model, threshold, judged = await served.score(caller.tenant, body.rows)
        data = [{"object": "anomalies.score", "threshold": threshold, **asdict(each)} for each in judged]
        return Json({"object": "anomalies.scores", "model": model, "data": data})

    return router
