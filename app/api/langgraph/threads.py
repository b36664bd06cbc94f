"""/threads: made, found, copied, deleted; their state, its history and its edits."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.api.langgraph.refusing import Refusal, refuse
from app.api.langgraph.run_request import CheckpointRef, Metadata, ThreadId
from app.api.langgraph.runs import ThreadPath
from app.api.langgraph.views import StateView, ThreadView, selected, thread_view
from app.auth import Anyone
from app.errors import responses
from app.runs.owner import Owner
from app.runs.runs import Runs
from app.runs.threads import SortBy, Wanted
from core.errors import InvalidInput, UnsupportedParameter

ThreadField = Literal[
    "thread_id", "created_at", "updated_at", "metadata", "config", "context", "status", "values", "interrupts"
]
StateField = Annotated[
    str,
    Field(
        pattern=r"^((next|tasks|checkpoint|metadata|created_at|parent_checkpoint|interrupts)|values(\.[A-Za-z0-9_]+)?)$"
    ),
]
CheckpointId = Annotated[str, Field(pattern=r"^[0-9a-fA-F-]{1,64}$")]
# What LangGraph's savers can look for in a checkpoint's metadata.
_FilterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
_FilterValue = bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[str, Field(pattern=r"^[^\x00]{0,500}$")]
_NO_TTL = "Threads have no time to live: delete or prune them."


class NewThread(BaseModel):
    """A thread to be made. A `thread_id` that is there already is an error, or is given back."""

    model_config = ConfigDict(extra="forbid")

    thread_id: ThreadId | None = None
    metadata: Metadata | None = None
    if_exists: Literal["raise", "do_nothing"] = "raise"
    supersteps: Any = None
    ttl: Any = None


class ThreadPatch(BaseModel):
    """Metadata to be merged into the thread's."""

    model_config = ConfigDict(extra="forbid")

    metadata: Metadata
    ttl: Any = None


class ThreadFilter(BaseModel):
    """Which threads are counted."""

    model_config = ConfigDict(extra="forbid")

    metadata: Metadata | None = None
    values: Any = None
    status: Literal["idle", "busy", "interrupted", "error"] | None = None


class ThreadSearch(ThreadFilter):
    """Which threads are looked for, and in which order."""

    ids: Annotated[list[ThreadId], Field(max_length=1000)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    sort_by: SortBy = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[ThreadField] | None = None
    extract: Any = None


class Prune(BaseModel):
    """Threads to be deleted, or reduced to their newest state."""

    model_config = ConfigDict(extra="forbid")

    thread_ids: Annotated[list[ThreadId], Field(max_length=100)]
    strategy: Literal["delete", "keep_latest"] = "delete"


class Pruned(BaseModel):
    """How many threads were pruned."""

    pruned_count: int


class StateAt(BaseModel):
    """Which state is looked at."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: CheckpointRef
    subgraphs: bool = False
    select: list[StateField] | None = None


class StateUpdate(BaseModel):
    """Values to be written as if a node had."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any] | None = None
    as_node: str | None = None
    checkpoint: CheckpointRef | None = None
    checkpoint_id: CheckpointId | None = None


class StateUpdated(BaseModel):
    """Where the newest state is."""

    checkpoint: dict[str, Any]


class HistoryRequest(BaseModel):
    """Which past states: at most `limit`, before a checkpoint, or from one on."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    before: CheckpointId | CheckpointRef | None = None
    metadata: dict[_FilterName, _FilterValue] | None = None
    checkpoint: CheckpointRef | None = None
    select: list[StateField] | None = None


def routes(runs: Runs) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/threads", tags=["threads"], route_class=StrictJsonRoute)
    threads, states = runs.threads, runs.states

    @router.post("", response_model=ThreadView, responses=responses(409, 422))
    async def create_thread(body: NewThread, caller: Anyone) -> Response:
        """Make a thread."""
        _refuse_ttl(body.ttl)
        if body.supersteps is not None:
            raise UnsupportedParameter("Threads begin empty: copy one, or update its state.", param="supersteps")
        made = await threads.create(
            Owner.of(caller),
            body.thread_id or str(uuid.uuid4()),
            body.metadata or {},
            must_be_new=body.if_exists == "raise",
        )
        return Json(await thread_view(runs, made))

    @router.post("/search", response_model=list[ThreadView], responses=responses(422))
    async def search_threads(body: ThreadSearch, caller: Anyone) -> Response:
        """Find threads of the caller's."""
        if body.extract is not None:
            raise UnsupportedParameter("Values are not extracted: select them.", param="extract")
        found = await threads.search(Owner.of(caller), _wanted(body, body), body.limit, body.offset)
        return Json([await thread_view(runs, each, body.select) for each in found])

    @router.post("/count", response_model=int, responses=responses(422))
    async def count_threads(body: ThreadFilter, caller: Anyone) -> Response:
        """Count threads of the caller's."""
        return Json(await threads.count(Owner.of(caller), _wanted(body)))

    @router.post("/prune", response_model=Pruned, responses=responses(404, 409, 422))
    async def prune_threads(body: Prune, caller: Anyone) -> Response:
        """Delete threads, or all but their newest state."""
        owner = Owner.of(caller)
        names = list(dict.fromkeys(body.thread_ids))
        for thread_id in names:
            await threads.get(owner, thread_id)
        for thread_id in names:
            await (threads.delete if body.strategy == "delete" else threads.prune)(owner, thread_id)
        return Json({"pruned_count": len(names)})

    @router.get("/{thread_id}", response_model=ThreadView, responses=responses(404))
    async def get_thread(
        thread_id: ThreadPath, caller: Anyone, include: Annotated[str | None, Query()] = None
    ) -> Response:
        """Show a thread."""
        if include:
            raise UnsupportedParameter(_NO_TTL, param="include")
        return Json(await thread_view(runs, await threads.get(Owner.of(caller), thread_id)))

    @router.patch(
        "/{thread_id}", response_model=ThreadView, responses={204: {"description": "Updated"}, **responses(404, 422)}
    )
    async def update_thread(
        thread_id: ThreadPath, body: ThreadPatch, caller: Anyone, prefer: Annotated[str | None, Header()] = None
    ) -> Response:
        """Merge metadata into a thread's."""
        _refuse_ttl(body.ttl)
        updated = await threads.update(Owner.of(caller), thread_id, body.metadata)
        if prefer == "return=minimal":
            return Response(status_code=204)
        return Json(await thread_view(runs, updated))

    @router.delete("/{thread_id}", status_code=204, responses=responses(404, 409))
    async def delete_thread(thread_id: ThreadPath, caller: Anyone) -> Response:
        """Delete a thread with its runs and its history."""
        await threads.delete(Owner.of(caller), thread_id)
        return Response(status_code=204)

    @router.post("/{thread_id}/copy", response_model=ThreadView, responses=responses(404, 409, 422))
    async def copy_thread(thread_id: ThreadPath, caller: Anyone) -> Response:
        """Make a thread with the state and history of this one."""
        copied = await threads.copy(Owner.of(caller), thread_id, str(uuid.uuid4()))
        return Json(await thread_view(runs, copied))

    @router.get("/{thread_id}/state", response_model=StateView, responses=responses(404))
    async def get_state(
        thread_id: ThreadPath,
        caller: Anyone,
        subgraphs: bool = False,
        select: Annotated[list[StateField] | None, Query()] = None,
    ) -> Response:
        """Show a thread's newest state."""
        thread = await threads.get(Owner.of(caller), thread_id)
        return Json(_selected(await states.get(thread, subgraphs=subgraphs), select))

    @router.get("/{thread_id}/state/{checkpoint_id}", response_model=StateView, responses=responses(404))
    async def get_state_at(
        thread_id: ThreadPath,
        checkpoint_id: CheckpointId,
        caller: Anyone,
        subgraphs: bool = False,
        select: Annotated[list[StateField] | None, Query()] = None,
    ) -> Response:
        """Show a thread's state at a checkpoint."""
        thread = await threads.get(Owner.of(caller), thread_id)
        return Json(_selected(await states.get(thread, checkpoint_id, subgraphs=subgraphs), select))

    @router.post("/{thread_id}/state/checkpoint", response_model=StateView, responses=responses(404, 422))
    async def post_state_at(thread_id: ThreadPath, body: StateAt, caller: Anyone) -> Response:
        """Show a thread's state at a checkpoint."""
        thread = await threads.get(Owner.of(caller), thread_id)
        found = await states.get(thread, _checkpoint(body.checkpoint, thread_id), subgraphs=body.subgraphs)
        return Json(_selected(found, body.select))

    @router.post("/{thread_id}/state", response_model=StateUpdated, responses=responses(404, 409, 422))
    async def update_state(thread_id: ThreadPath, body: StateUpdate, caller: Anyone) -> Response:
        """Edit a thread's state, as far as its assistant allows."""
        thread = await threads.get(Owner.of(caller), thread_id)
        chosen = body.checkpoint_id or (_checkpoint(body.checkpoint, thread_id) if body.checkpoint else None)
        return Json(await states.update(thread, body.values, as_node=body.as_node, checkpoint_id=chosen))

    @router.post("/{thread_id}/history", response_model=list[StateView], responses=responses(404, 422))
    async def get_history(thread_id: ThreadPath, body: HistoryRequest, caller: Anyone) -> Response:
        """Show a thread's past states, newest first."""
        thread = await threads.get(Owner.of(caller), thread_id)
        before = _checkpoint(body.before, thread_id) if isinstance(body.before, CheckpointRef) else body.before
        past = await states.history(
            thread,
            limit=body.limit,
            before=before,
            at=_checkpoint(body.checkpoint, thread_id) if body.checkpoint else None,
            metadata=body.metadata,
        )
        return Json([_selected(each, body.select) for each in past])

    v3 = "The thread-centric protocol (threads.stream) is not spoken: use runs.stream and runs.join_stream."
    refuse(
        router,
        Refusal(
            "GET", "/{thread_id}/stream", "join_thread_stream", "Follow a thread's runs one by one: runs.join_stream."
        ),
        Refusal("POST", "/{thread_id}/commands", "thread_commands", v3),
        Refusal("POST", "/{thread_id}/stream/events", "thread_events", v3),
    )
    return router


def _wanted(body: ThreadFilter, search: ThreadSearch | None = None) -> Wanted:
    if body.values is not None:
        raise UnsupportedParameter("Threads are not found by their values: use metadata.", param="values")
    if search is None:
        return Wanted(labels=body.metadata, status=body.status)
    return Wanted(body.metadata, search.ids, body.status, search.sort_by, search.sort_order == "desc")


def _refuse_ttl(ttl: Any) -> None:
    if ttl is not None:
        raise UnsupportedParameter(_NO_TTL, param="ttl")


def _checkpoint(ref: CheckpointRef, thread_id: str) -> str | None:
    if ref.thread_id not in (None, thread_id):
        raise InvalidInput("The checkpoint is of another thread.", param="checkpoint.thread_id")
    return ref.checkpoint_id


def _selected(state: dict[str, Any], select: list[str] | None) -> dict[str, Any]:
    if select is None:
        return state
    kept = selected(state, select)
    parts = [field.removeprefix("values.") for field in select if field.startswith("values.")]
    if parts and "values" not in kept:
        kept["values"] = {name: state["values"][name] for name in parts if name in state["values"]}
    return kept
