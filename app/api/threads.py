"""/api/threads: conversations as people look at them: staff at the company's, a client at its own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from agents.approvals import Approvals
from agents.attached import FIELD
from agents.decisions import ApprovalStatus
from app.api.json import Json, listing
from app.api.langgraph.runs import ThreadPath
from app.auth import Anyone
from app.errors import responses
from app.runs.finishing import finished
from app.runs.owner import THREAD_ID, Owner
from app.runs.runs import Runs
from app.runs.threads import Thread
from core.errors import InvalidInput, NotFound
from core.types import Principal, Role

OwnerName = Annotated[
    str | None, Query(pattern=r"^(customer|key):[!-~]{1,100}$", description="as `owner` says in a list")
]
_CURSOR = rf"^(customer|key):[!-~]{{1,100}}/{THREAD_ID.pattern}$"


class Said(BaseModel):
    """One message of a conversation."""

    role: str
    text: str
    attachments: list[str] = Field(description="names of the files that came with it")


class ThreadView(BaseModel):
    """A conversation. `last` is what was asked last; `cursor` continues a list after this one."""

    object: str = "thread"
    id: str
    owner: str = Field(description="`customer:…`, or `key:…` for a key that acts for no customer")
    status: str
    created_at: datetime
    updated_at: datetime
    last: str
    cursor: str


class WholeThread(ThreadView):
    """A conversation with everything said; `pending` are the approvals that it waits for."""

    messages: list[Said]
    pending: list[str]


class ThreadList(BaseModel):
    """Conversations, the last used first."""

    object: str
    data: list[ThreadView]
    has_more: bool


def routes(runs: Runs, approvals: Approvals) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/threads", tags=["threads"])

    @router.get("", response_model=ThreadList, responses=responses(404))
    async def list_threads(
        caller: Anyone,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=_CURSOR, description="the `cursor` of the last one")] = None,
        owner: OwnerName = None,
    ) -> Response:
        """List conversations: the company's for staff, a client's own for a client."""
        whose = seen_owner(caller, owner)
        place = None
        if after is not None:
            name, _, thread_id = after.rpartition("/")
            if whose not in (None, name):
                raise NotFound(f"There is no thread {thread_id!r}.", param="after")
            place = (name, thread_id)
        # What was asked a moment ago may not have its row yet.
        await finished(runs.timelines.flush())
        found = await runs.threads.page(caller.tenant, whose, limit + 1, place)
        last = await runs.timelines.last_asked(caller.tenant, [(each.owner.name, each.id) for each in found[:limit]])
        views = [_view(each, last.get((each.owner.name, each.id), "")) for each in found[:limit]]
        return listing(views, has_more=len(found) > limit)

    @router.get("/{thread_id}", response_model=WholeThread, responses=responses(404))
    async def get_thread(thread_id: ThreadPath, caller: Anyone, owner: OwnerName = None) -> Response:
        """Show a conversation. Staff name its owner; without one it is the caller's own."""
        whose = seen_owner(caller, owner)
        thread = await runs.threads.get(Owner(caller.tenant, whose) if whose else Owner.of(caller), thread_id)
        state = await runs.states.get(thread)
        await finished(runs.timelines.flush())
        last = await runs.timelines.last_asked(caller.tenant, [(thread.owner.name, thread.id)])
        said = [
            {
                "role": _ROLES.get(each["type"], each["type"]),
                "text": _text(each["content"]),
                "attachments": [file["name"] for file in (each.get("additional_kwargs") or {}).get(FIELD, ())],
            }
            for each in (state["values"] or {}).get("messages") or ()
        ]
        waiting = await approvals.list(
            caller.tenant, status=ApprovalStatus.PENDING, owner=thread.owner.name, thread=thread.id, limit=100
        )
        view = _view(thread, last.get((thread.owner.name, thread.id), ""))
        return Json({**view, "messages": said, "pending": [each.id for each in waiting]})

    return router


def seen_owner(caller: Principal, wanted: str | None) -> str | None:
    """Whose threads the caller looks at: None for everybody's, which is for staff.

    Raises `NotFound` when a client names another owner, as if there were none.
    """
    if caller.role is not Role.CLIENT:
        return wanted
    own = Owner.of(caller).name
    if wanted not in (None, own):
        raise NotFound(f"There is no owner {wanted!r}.", param="owner")
    return own


_ROLES = {"human": "user", "ai": "assistant"}


def _view(thread: Thread, last: str) -> dict[str, Any]:
    return {
        "object": "thread",
        "id": thread.id,
        "owner": thread.owner.name,
        "status": thread.status,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "last": last,
        "cursor": f"{thread.owner.name}/{thread.id}",
    }


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise InvalidInput("a message's content is text or parts")
    return "\n".join(part["text"] for part in content if isinstance(part, dict) and part.get("type") == "text")
