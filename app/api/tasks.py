"""/api/tasks: rows of a table judged by the model in force, with the reasons in words; for the company's systems."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt, StrictStr
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.auth import Staff
from app.errors import responses
from app.tasks.served import ServedTasks
from core.versions import NAME

_MOST = 500
_COLUMNS = 100

TaskName = Annotated[str, Path(pattern=NAME)]
Cell = StrictBool | StrictInt | FiniteFloat | Annotated[StrictStr, Field(max_length=1000)] | None


class Rows(BaseModel):
    """Rows to be judged, each by the columns that the task's model meets. Null stands for what is not known."""

    model_config = ConfigDict(extra="forbid")

    rows: list[Annotated[dict[str, Cell], Field(max_length=_COLUMNS)]] = Field(min_length=1, max_length=_MOST)


class ReasonView(BaseModel):
    """A column that mattered, with its share of the log odds against the mean row; the largest comes first."""

    column: str
    value: str | None
    weight: float
    text: str


class ScoreView(BaseModel):
    """A row's probability, and the decision at the task's threshold."""

    object: str
    probability: float
    positive: bool
    reasons: list[ReasonView]


class Scores(BaseModel):
    """What the model, named by its SHA-256, says of each row, in their order."""

    object: str
    task: str
    model: str
    data: list[ScoreView]


def routes(served: ServedTasks) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/tasks", tags=["tasks"], route_class=StrictJsonRoute)

    @router.post("/{task}/score", response_model=Scores, responses=responses(403, 404, 409, 422))
    async def score(task: TaskName, body: Rows, caller: Staff) -> Response:
        """Judge rows. When one is refused, all are; nothing is kept."""
        model, scored = await served.score(task, body.rows)
        data = [{"object": "task.score", **asdict(each)} for each in scored]
        return Json({"object": "task.scores", "task": task, "model": model, "data": data})

    return router
