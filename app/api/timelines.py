"""/api/timelines: how each turn went: nodes, tools, model calls, tokens and times."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from app.api.json import Json, listing
from app.api.threads import OwnerName, seen_owner
from app.auth import Anyone
from app.errors import responses
from app.runs.owner import THREAD_ID
from app.runs.timelines import Timeline, Timelines
from core.types import Principal, Role

TurnId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class StepView(BaseModel):
    """A stretch of work. `at_ms` counts from the turn's beginning; `ms` is null for what never ended."""

    kind: Literal["node", "tool", "model", "media"]
    name: str
    at_ms: float
    ms: float | None
    detail: dict[str, Any]


class HeadingView(BaseModel):
    """Where the turn was sent: a way, and the tool where it led to one."""

    way: str
    tool: str
    second: str


class UsageView(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int


class TimelineView(BaseModel):
    """A turn as it went."""

    object: str
    id: str
    thread_id: str
    owner: str
    source: Literal["chat", "run"]
    assistant: str
    question: str
    answer: str
    declined: bool
    heading: HeadingView | None
    engine: str
    usage: UsageView
    status: Literal["success", "interrupted", "error"]
    started_at: datetime
    ms: float
    steps: list[StepView]


class TimelineList(BaseModel):
    """Turns, the latest first; the next page begins `after` the last id."""

    object: str
    data: list[TimelineView]
    has_more: bool


def routes(timelines: Timelines) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/timelines", tags=["timelines"])

    @router.get("", response_model=TimelineList, responses=responses(404))
    async def list_timelines(
        caller: Anyone,
        thread_id: Annotated[str | None, Query(pattern=rf"^{THREAD_ID.pattern}$")] = None,
        owner: OwnerName = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,64}$")] = None,
    ) -> Response:
        """List turns: the company's for staff, a client's own for a client."""
        whose = seen_owner(caller, owner)
        found = await timelines.page(caller.tenant, owner=whose, thread_id=thread_id, limit=limit + 1, after=after)
        return listing([_view(each, caller) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{turn_id}", response_model=TimelineView, responses=responses(404))
    async def get_timeline(turn_id: TurnId, caller: Anyone) -> Response:
        """Show how a turn went."""
        return Json(_view(await timelines.get(caller.tenant, turn_id, seen_owner(caller, None)), caller))

    return router


def _view(timeline: Timeline, caller: Principal) -> dict[str, Any]:
    view = asdict(timeline)
    usage = {name: view.pop(name) for name in ("prompt_tokens", "completion_tokens")}
    if caller.role is Role.CLIENT:
        # What a tool was asked and said is for those who look after it: it may say more than the answer did.
        view["steps"] = [{**step, "detail": {}} for step in view["steps"]]
    del view["tenant"]
    return {"object": "timeline", **view, "usage": usage}
