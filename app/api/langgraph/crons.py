"""/runs/crons: runs that come back on a schedule."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.api.langgraph.run_request import REFUSED, Metadata, RunShape, ThreadId
from app.api.langgraph.runs import ThreadPath
from app.api.langgraph.views import CronView, cron_view, selected
from app.auth import Anyone
from app.errors import responses
from app.runs.crons import CronRow, Crons, NewCron
from app.runs.owner import Owner
from app.runs.runs import Runs
from app.runs.threads import contains
from core.errors import UnsupportedParameter
from core.types import Principal

CronPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Schedule = Annotated[str, Field(max_length=200, description="five fields, as cron reads them")]
CronField = Literal[
    "cron_id",
    "assistant_id",
    "thread_id",
    "end_time",
    "schedule",
    "timezone",
    "created_at",
    "updated_at",
    "user_id",
    "payload",
    "next_run_date",
    "metadata",
    "now",
    "on_run_completed",
    "enabled",
]
_NEVER = "9999"  # sorts after every year


class NewThreadCron(RunShape):
    """A cron on one thread."""

    schedule: Schedule
    timezone: str | None = None
    end_time: AwareDatetime | None = None
    enabled: bool = True


class NewStatelessCron(NewThreadCron):
    """A cron whose runs each get a thread of their own."""

    on_run_completed: Literal["delete", "keep"] = "delete"


class CronPatch(BaseModel):
    """What may be changed; everything else asks for a new cron."""

    model_config = ConfigDict(extra="forbid")

    schedule: Schedule | None = None
    timezone: str | None = None
    end_time: AwareDatetime | None = None
    enabled: bool | None = None
    metadata: Metadata | None = None
    on_run_completed: Literal["delete", "keep"] | None = None
    input: Any = None
    config: Any = None
    context: Any = None
    webhook: Any = None
    interrupt_before: Any = None
    interrupt_after: Any = None
    stream_mode: Any = None
    stream_subgraphs: Any = None
    stream_resumable: Any = None
    durability: Any = None


class CronFilter(BaseModel):
    """Which crons are counted."""

    model_config = ConfigDict(extra="forbid")

    assistant_id: str | None = None
    thread_id: ThreadId | None = None
    metadata: Metadata | None = None


class CronSearch(CronFilter):
    """Which crons are looked for, and in which order."""

    enabled: bool | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    sort_by: Literal[
        "cron_id", "assistant_id", "thread_id", "created_at", "updated_at", "next_run_date", "end_time"
    ] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[CronField] | None = None


def routes(runs: Runs) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(tags=["crons"], route_class=StrictJsonRoute)
    crons = runs.crons

    @router.post("/runs/crons", response_model=CronView, responses=responses(404, 409, 422))
    async def create_cron(body: NewStatelessCron, caller: Anyone) -> Response:
        """Make a cron; each of its runs gets a thread of its own."""
        ephemeral = body.on_run_completed == "delete"
        return Json(cron_view(await _create(runs, caller, body, None, ephemeral=ephemeral)))

    @router.post("/threads/{thread_id}/runs/crons", response_model=CronView, responses=responses(404, 409, 422))
    async def create_thread_cron(thread_id: ThreadPath, body: NewThreadCron, caller: Anyone) -> Response:
        """Make a cron on a thread."""
        await runs.threads.get(Owner.of(caller), thread_id)
        return Json(cron_view(await _create(runs, caller, body, thread_id, ephemeral=False)))

    @router.post("/runs/crons/search", response_model=list[CronView], responses=responses(422))
    async def search_crons(body: CronSearch, caller: Anyone) -> Response:
        """Find crons of the caller's."""
        found = await _matching(crons, caller, body)
        views = [cron_view(row) for row in found if body.enabled in (None, row.enabled)]
        views.sort(key=lambda view: str(view[body.sort_by] or _NEVER), reverse=body.sort_order == "desc")
        return Json([selected(view, body.select) for view in views[body.offset : body.offset + body.limit]])

    @router.post("/runs/crons/count", response_model=int, responses=responses(422))
    async def count_crons(body: CronFilter, caller: Anyone) -> Response:
        """Count crons of the caller's."""
        return Json(len(await _matching(crons, caller, body)))

    @router.patch("/runs/crons/{cron_id}", response_model=CronView, responses=responses(404, 422))
    async def update_cron(cron_id: CronPath, body: CronPatch, caller: Anyone) -> Response:
        """Change when a cron runs, or whether it does."""
        return Json(cron_view(await crons.update(Owner.of(caller), cron_id, _changes(body))))

    @router.delete("/runs/crons/{cron_id}", status_code=204, responses=responses(404))
    async def delete_cron(cron_id: CronPath, caller: Anyone) -> Response:
        """Delete a cron."""
        await crons.delete(Owner.of(caller), cron_id)
        return Response(status_code=204)

    return router


async def _create(
    runs: Runs, caller: Principal, body: NewThreadCron, thread_id: str | None, *, ephemeral: bool
) -> CronRow:
    assistant = runs.assistants.get(body.assistant_id)
    new = NewCron(
        principal=caller,
        assistant_id=assistant.id,
        thread_id=thread_id,
        schedule=body.schedule,
        timezone=body.timezone,
        request={**await body.request(assistant, caller), "checkpoint_id": None},
        labels=body.metadata or {},
        strategy=body.multitask_strategy,
        ephemeral=ephemeral,
        enabled=body.enabled,
        end_time=body.end_time,
    )
    return await runs.crons.create(new)


async def _matching(crons: Crons, caller: Principal, wanted: CronFilter) -> list[CronRow]:
    return [
        row
        for row in await crons.all(Owner.of(caller))
        if wanted.assistant_id in (None, row.assistant_id)
        and wanted.thread_id in (None, row.thread_id)
        and contains(row.labels, wanted.metadata or {})
    ]


def _changes(body: CronPatch) -> dict[str, Any]:
    columns = {"schedule", "timezone", "end_time", "enabled", "metadata", "on_run_completed"}
    for name in sorted(body.model_fields_set - columns):
        if getattr(body, name) is not None:
            raise UnsupportedParameter(REFUSED.get(name, "Make a new cron to change its runs."), param=name)
    given = {name: getattr(body, name) for name in body.model_fields_set & columns}
    changes = {name: value for name, value in given.items() if value is not None or name in ("end_time", "timezone")}
    if "metadata" in changes:
        changes["labels"] = changes.pop("metadata")
    if "on_run_completed" in changes:
        changes["ephemeral"] = changes.pop("on_run_completed") == "delete"
    return changes
