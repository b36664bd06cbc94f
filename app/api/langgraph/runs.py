"""/threads/{id}/runs and /runs: admit, follow, wait for, cancel and look at runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.api.langgraph.following import events, outcome
from app.api.langgraph.run_request import BatchedRun, RunRequest, ThreadId, order
from app.api.langgraph.views import RunView, run_view, selected
from app.auth import Anyone
from app.errors import responses
from app.following import EVENTS, JSON, Following
from app.replay import Fingerprint, key_of
from app.runs.admission import Action
from app.runs.owner import THREAD_ID, Owner
from app.runs.rows import Run
from app.runs.runs import Runs
from app.runs.tables import UNFINISHED
from core.errors import Conflict, InvalidInput, NotFound
from core.types import Principal

ThreadPath = Annotated[str, Path(pattern=rf"^{THREAD_ID.pattern}$")]
RunPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=2**31)]
RunField = Literal[
    "run_id",
    "thread_id",
    "assistant_id",
    "created_at",
    "updated_at",
    "status",
    "metadata",
    "kwargs",
    "multitask_strategy",
    "cancel_reason",
]
LastEvent = Annotated[str | None, Header(description="the number of the last event that was seen")]
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["id", "event", "data"],
}
STREAM: dict[int | str, Any] = {200: {"content": {EVENTS: {"schema": _EVENT}}}}


class CancelMany(BaseModel):
    """Which runs to cancel: those named on a thread, or all in a status."""

    model_config = ConfigDict(extra="forbid")

    thread_id: ThreadId | None = None
    run_ids: Annotated[list[str], Field(max_length=1000)] | None = None
    status: Literal["pending", "running", "all"] | None = None


class Door:
    """The requests for runs, with and without a thread."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def admit(self, request: Request, body: RunRequest, caller: Principal, thread_id: str | None) -> Run:
        """The run that this request asks for, or asked for before under its `Idempotency-Key`."""
        if thread_id is not None and body.if_not_exists == "reject":
            await self._runs.threads.get(Owner.of(caller), thread_id)
        fingerprint = Fingerprint(request.scope)
        fingerprint.feed(await request.body())
        made = await order(self._runs, caller, body, thread_id, key_of(request.scope), fingerprint.hexdigest())
        return await self._runs.admission.admit(made)

    async def batch(self, request: Request, bodies: Sequence[BatchedRun], caller: Principal) -> list[Run]:
        """The runs of a batch. All are checked before the first is admitted."""
        key = key_of(request.scope)
        fingerprint = Fingerprint(request.scope)
        fingerprint.feed(await request.body())
        orders = []
        for i, body in enumerate(bodies):
            if body.thread_id is not None and body.if_not_exists == "reject":
                await self._runs.threads.get(Owner.of(caller), body.thread_id)
            own = f"{key}#{i}" if key else None
            orders.append(await order(self._runs, caller, body, body.thread_id, own, fingerprint.hexdigest()))
        return [await self._runs.admission.admit(each) for each in orders]

    def stream(self, run: Run, after: int, *, leave: str = "continue", names: set[str] | None = None) -> Response:
        """The run's events from `after` on."""
        return self._follow(run, events(self._runs.log, run, after, names), EVENTS, "stream", leave)

    def wait(self, run: Run, *, leave: str = "continue") -> Response:
        """The run's outcome."""
        return self._follow(run, outcome(self._runs, run), JSON, "join", leave)

    def _follow(self, run: Run, chunks: Any, media_type: str, again: str, leave: str) -> Response:
        headers = {**located(run), "location": f"{_path(run)}/{again}"}

        async def cancel() -> None:
            ended = await self._runs.get(run.owner, run.thread_id, run.id)
            if ended.ended_at is None:
                await self._runs.admission.cancel(run.owner, run.thread_id, run.id, "interrupt")

        return Following(chunks, media_type, headers, cancel if leave == "cancel" else None)


def routes(runs: Runs) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(tags=["runs"], route_class=StrictJsonRoute)
    door = Door(runs)
    refusals = responses(403, 404, 409, 422)

    @router.post("/runs", response_model=RunView, responses=refusals)
    async def create_stateless_run(request: Request, body: RunRequest, caller: Anyone) -> Response:
        """Start a run on a thread of its own, which goes with it."""
        return _created(await door.admit(request, body, caller, None))

    @router.post("/runs/stream", response_class=Response, responses={**STREAM, **refusals})
    async def stream_stateless_run(request: Request, body: RunRequest, caller: Anyone) -> Response:
        """Start a stateless run and follow it."""
        return door.stream(await door.admit(request, body, caller, None), 0, leave=body.on_disconnect)

    @router.post("/runs/wait", response_model=Any, responses=refusals)
    async def wait_stateless_run(request: Request, body: RunRequest, caller: Anyone) -> Response:
        """Start a stateless run and wait for its outcome."""
        return door.wait(await door.admit(request, body, caller, None), leave=body.on_disconnect)

    @router.post("/runs/batch", response_model=list[RunView], responses=refusals)
    async def create_runs(
        request: Request, body: Annotated[list[BatchedRun], Field(min_length=1, max_length=100)], caller: Anyone
    ) -> Response:
        """Start several runs."""
        return Json([run_view(run) for run in await door.batch(request, body, caller)])

    @router.post("/runs/cancel", status_code=204, responses=responses(403, 404, 409, 422))
    async def cancel_runs(body: CancelMany, caller: Anyone, action: Action = "interrupt") -> Response:
        """Cancel the runs that are named, or all of a status; those that have ended meanwhile are left alone."""
        owner = Owner.of(caller)
        if (body.run_ids is None) == (body.status is None):
            raise InvalidInput("Name run_ids or a status, not both.", param="run_ids")
        if body.run_ids is not None and body.thread_id is None:
            raise InvalidInput("Runs are named together with their thread.", param="thread_id")
        statuses = UNFINISHED if body.status in (None, "all") else (str(body.status),)
        found = await runs.unfinished(owner, body.thread_id, statuses)
        if body.run_ids is not None:
            for run_id in body.run_ids:
                await runs.get(owner, str(body.thread_id), run_id)
        for run in found:
            if body.run_ids is not None and run.id not in body.run_ids:
                continue
            with suppress(Conflict):
                await runs.admission.cancel(owner, run.thread_id, run.id, action)
        return Response(status_code=204)

    @router.post("/threads/{thread_id}/runs", response_model=RunView, responses=refusals)
    async def create_run(request: Request, thread_id: ThreadPath, body: RunRequest, caller: Anyone) -> Response:
        """Start a run in the background."""
        return _created(await door.admit(request, body, caller, thread_id))

    @router.post("/threads/{thread_id}/runs/stream", response_class=Response, responses={**STREAM, **refusals})
    async def stream_run(request: Request, thread_id: ThreadPath, body: RunRequest, caller: Anyone) -> Response:
        """Start a run and follow it."""
        return door.stream(await door.admit(request, body, caller, thread_id), 0, leave=body.on_disconnect)

    @router.post("/threads/{thread_id}/runs/wait", response_model=Any, responses=refusals)
    async def wait_run(request: Request, thread_id: ThreadPath, body: RunRequest, caller: Anyone) -> Response:
        """Start a run and wait for its outcome."""
        return door.wait(await door.admit(request, body, caller, thread_id), leave=body.on_disconnect)

    @router.get("/threads/{thread_id}/runs", response_model=list[RunView], responses=responses(404))
    async def list_runs(
        thread_id: ThreadPath,
        caller: Anyone,
        limit: Limit = 10,
        offset: Offset = 0,
        status: Literal["pending", "running", "error", "success", "timeout", "interrupted"] | None = None,
        select: Annotated[list[RunField] | None, Query()] = None,
    ) -> Response:
        """List a thread's runs, newest first."""
        found = await runs.page(Owner.of(caller), thread_id, limit=limit, offset=offset, status=status)
        return Json([selected(run_view(run), select) for run in found])

    @router.get("/threads/{thread_id}/runs/{run_id}", response_model=RunView, responses=responses(404))
    async def get_run(thread_id: ThreadPath, run_id: RunPath, caller: Anyone) -> Response:
        """Show a run."""
        return Json(run_view(await runs.get(Owner.of(caller), thread_id, run_id)))

    @router.delete("/threads/{thread_id}/runs/{run_id}", status_code=204, responses=responses(404, 409))
    async def delete_run(thread_id: ThreadPath, run_id: RunPath, caller: Anyone) -> Response:
        """Remove a run that has ended, and its events."""
        await runs.delete(Owner.of(caller), thread_id, run_id)
        return Response(status_code=204)

    @router.get("/threads/{thread_id}/runs/{run_id}/join", response_model=Any, responses=responses(404))
    async def join_run(
        thread_id: ThreadPath, run_id: RunPath, caller: Anyone, cancel_on_disconnect: bool = False
    ) -> Response:
        """Wait for a run's outcome."""
        run = await runs.get(Owner.of(caller), thread_id, run_id)
        return door.wait(run, leave="cancel" if cancel_on_disconnect else "continue")

    @router.get(
        "/threads/{thread_id}/runs/{run_id}/stream", response_class=Response, responses={**STREAM, **responses(404)}
    )
    async def join_run_stream(
        thread_id: ThreadPath,
        run_id: RunPath,
        caller: Anyone,
        stream_mode: Annotated[list[str] | None, Query(max_length=20)] = None,
        cancel_on_disconnect: bool = False,
        last_event_id: LastEvent = None,
    ) -> Response:
        """Follow a run from any event on; from its first without `Last-Event-ID`."""
        run = await runs.get(Owner.of(caller), thread_id, run_id)
        names = _names(run, stream_mode)
        return door.stream(
            run, _after(last_event_id), leave="cancel" if cancel_on_disconnect else "continue", names=names
        )

    @router.post(
        "/threads/{thread_id}/runs/{run_id}/cancel",
        status_code=204,
        responses={200: {"model": Any}, **responses(404, 409, 422)},
    )
    async def cancel_run(
        thread_id: ThreadPath,
        run_id: RunPath,
        caller: Anyone,
        wait: Literal["0", "1", "true", "false"] = "0",
        action: Action = "interrupt",
    ) -> Response:
        """Stop a run; with `rollback` the thread returns to where it was before. With `wait`, answer once it ended."""
        owner = Owner.of(caller)
        await runs.admission.cancel(owner, thread_id, run_id, action)
        if wait in ("1", "true"):
            return door.wait(await runs.get(owner, thread_id, run_id))
        return Response(status_code=204)

    return router


def located(run: Run) -> dict[str, str]:
    """The header that tells the clients which run it is."""
    return {"content-location": _path(run)}


def _path(run: Run) -> str:
    return f"/threads/{run.thread_id}/runs/{run.id}"


def _created(run: Run) -> Response:
    return Json(run_view(run), headers=located(run))


def _after(last_event_id: str | None) -> int:
    if last_event_id in (None, "", "-1"):
        return 0
    if not str(last_event_id).isdecimal() or len(str(last_event_id)) > 18:
        raise InvalidInput("Last-Event-ID is the number of an event.", param="last-event-id")
    return int(str(last_event_id))


def _names(run: Run, modes: list[str] | None) -> set[str] | None:
    """The names of the events to be shown. The run keeps those of the modes it was started with, and no others."""
    wanted = [mode for mode in modes or () if mode]
    if not wanted:
        return None
    kept = run.request["modes"]
    for mode in wanted:
        if mode not in kept:
            raise NotFound(f"This run keeps the stream modes {', '.join(kept)}.", param="stream_mode")
    return {"metadata", *(mode.removesuffix("-tuple") for mode in wanted)}
