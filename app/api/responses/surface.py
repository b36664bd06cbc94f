"""/v1/responses: make, follow, read, cancel and delete responses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.api.chat_agent import THREAD_HEADER
from app.api.json import Json, StrictJsonRoute
from app.api.responses.ordering import find, order, response_id
from app.api.responses.reading import events, told, whole
from app.api.responses.request import ResponseRequest
from app.api.responses.telling import Telling
from app.api.responses.views import input_items
from app.auth import Anyone
from app.errors import responses
from app.following import EVENTS, Following
from app.observing import Observing
from app.replay import Fingerprint, key_of
from app.runs.owner import Owner
from app.runs.rows import Run
from app.runs.runs import Runs
from core.errors import Conflict, InvalidInput, NotFound, UnsupportedParameter

ResponsePath = Annotated[str, Path(max_length=200)]
_EVENT = {"type": "object", "properties": {"event": {"type": "string"}, "data": {"type": "string"}}}
STREAM: dict[int | str, Any] = {200: {"content": {EVENTS: {"schema": _EVENT}}}}


class ResponseView(BaseModel):
    """OpenAI's `response`; `wayside` names its thread, the engine that spoke, and what waits for people."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    model: str
    output: list[dict[str, Any]]


class DeletedView(BaseModel):
    """That a response is no more."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


class InputItems(BaseModel):
    """A page of what was given to a response."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Reading(BaseModel):
    """How a response is read. Events are numbered from 0; `starting_after` is the last one that was seen."""

    model_config = ConfigDict(extra="forbid")

    stream: bool = False
    starting_after: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    include_obfuscation: bool = False


class InputPage(BaseModel):
    """Which part of the input is read; `after` is the id of the last item that was seen."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"


def routes(runs: Runs, observing: Observing, characters: int) -> APIRouter:
    """The router of this surface. `characters` is the most text in one request."""
    router = APIRouter(prefix="/v1/responses", tags=["responses"], route_class=StrictJsonRoute)

    @router.post("", response_model=ResponseView, responses={**STREAM, **responses(404, 409, 422)})
    async def create_response(request: Request, body: ResponseRequest, caller: Anyone) -> Response:
        """Let the model `wayside` respond: at once, as a stream of events, or in the background."""
        body.check(characters)
        fingerprint = Fingerprint(request.scope)
        fingerprint.feed(await request.body())
        header = request.headers.get(THREAD_HEADER)
        key = key_of(request.scope)
        made = await order(runs, observing, caller, body, header, key, fingerprint.hexdigest())
        run = await runs.admission.admit(made)
        if body.stream:
            return Following(events(runs, run), EVENTS, located(run))
        if body.background:
            return Json(Telling(run).view(), headers=located(run))
        return await whole(runs, run, located(run))

    @router.get("/{response_id}", response_model=ResponseView, responses={**STREAM, **responses(404)})
    async def get_response(response_id: ResponsePath, reading: Annotated[Reading, Query()], caller: Anyone) -> Response:
        """Show a response as it stands, or follow it, from its first event or after any other."""
        if reading.include_obfuscation:
            raise UnsupportedParameter("Streams are not obfuscated.", param="include_obfuscation")
        run = await find(runs, Owner.of(caller), response_id)
        if reading.stream:
            after = -1 if reading.starting_after is None else reading.starting_after
            return Following(events(runs, run, after), EVENTS, located(run))
        if reading.starting_after is not None:
            raise InvalidInput("Only a stream starts after an event: ask for it with stream=true.", param="stream")
        return Json((await told(runs, run)).view(), headers=located(run))

    @router.post("/{response_id}/cancel", response_model=ResponseView, responses=responses(404, 409, 422))
    async def cancel_response(response_id: ResponsePath, caller: Anyone) -> Response:
        """Stop a response, and answer when it has stopped; what was cancelled already stays so."""
        owner = Owner.of(caller)
        run = await find(runs, owner, response_id)
        try:
            await runs.admission.cancel(owner, run.thread_id, run.id, "interrupt")
        except Conflict:
            run = await find(runs, owner, response_id)
            if run.cancel_reason is None:
                raise Conflict("The response has ended.", code="response_ended", param="response_id") from None
        return await whole(runs, run, located(run))

    @router.delete("/{response_id}", response_model=DeletedView, responses=responses(404, 409))
    async def delete_response(response_id: ResponsePath, caller: Anyone) -> Response:
        """Remove a response that has ended; what was said stays on its thread."""
        run = await find(runs, Owner.of(caller), response_id)
        if run.ended_at is None:
            raise Conflict("The response is unfinished: cancel it first.", code="response_unfinished")
        await runs.delete(run.owner, run.thread_id, run.id)
        return Json({"id": response_id, "object": "response", "deleted": True})

    @router.get("/{response_id}/input_items", response_model=InputItems, responses=responses(404))
    async def list_input_items(
        response_id: ResponsePath, page: Annotated[InputPage, Query()], caller: Anyone
    ) -> Response:
        """List what was given to a response."""
        items = input_items(await find(runs, Owner.of(caller), response_id))
        if page.order == "desc":
            items.reverse()
        if page.after is not None:
            ids = [item["id"] for item in items]
            if page.after not in ids:
                raise NotFound(f"There is no item {page.after!r} in this input.", param="after")
            items = items[ids.index(page.after) + 1 :]
        shown = items[: page.limit]
        ends = (
            {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
        )
        return Json({"object": "list", "data": shown, **ends, "has_more": len(items) > len(shown)})

    return router


def located(run: Run) -> dict[str, str]:
    """The headers that tell which thread and which response it is."""
    return {THREAD_HEADER: run.thread_id, "location": f"/v1/responses/{response_id(run.id)}"}
