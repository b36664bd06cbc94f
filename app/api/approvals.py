"""/api/approvals: calls that wait for people. Staff decide; a client sees what became of its own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from agents.decisions import ApprovalStatus, Decision, DecisionKind
from agents.tools.tool import Caller
from app.api.calls import ID, ApprovalView, PathId, approval_view
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone, Staff
from app.errors import responses
from app.news import News
from app.tools import Tools
from core.types import Principal, Role


class ApprovalList(BaseModel):
    """One page of approvals, the latest first; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[ApprovalView]
    has_more: bool


class NewDecision(BaseModel):
    """What one person says to a call. `arguments` belong to an edit; `text` is the reason, or the response."""

    model_config = ConfigDict(extra="forbid")

    decision: DecisionKind = Field(description="respond: do not do it, and tell the agent this instead")
    arguments: dict[str, Any] | None = None
    text: Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")] = ""


def routes(tools: Tools, news: News) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/approvals", tags=["approvals"], route_class=StrictJsonRoute)

    @router.get("", response_model=ApprovalList, responses=responses(404))
    async def list_approvals(
        caller: Anyone,
        status: Annotated[ApprovalStatus | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=ID)] = None,
    ) -> Response:
        """List approvals: the company's for staff, a client's own for a client."""
        found = await tools.approvals.list(
            caller.tenant, status=status, owner=_owner(caller), limit=limit + 1, after=after
        )
        return listing([approval_view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{approval_id}", response_model=ApprovalView, responses=responses(404))
    async def get_approval(approval_id: PathId, caller: Anyone) -> Response:
        """Show a call that waits, or waited, for people."""
        return Json(approval_view(await tools.approvals.get(caller.tenant, approval_id, owner=_owner(caller))))

    @router.post("/{approval_id}/decision", response_model=ApprovalView, responses=responses(403, 404, 409, 422))
    async def decide(approval_id: PathId, body: NewDecision, caller: Staff) -> Response:
        """Approve, edit, reject or answer. The last consent that it needs performs the call, once.

        The same decision again gives the first result; another one is a conflict. A conversation that waits for it
        goes on by a run of its own, which says what was decided.
        """
        decision = Decision(body.decision, body.arguments, body.text)
        decided = await tools.acting.decide(caller, approval_id, decision)
        if decided.status is not ApprovalStatus.PENDING:
            await news.tell(decided)
        return Json(approval_view(decided))

    return router


def _owner(principal: Principal) -> str | None:
    """Whose approvals the caller may see: everybody's for staff."""
    return Caller(principal).owner if principal.role is Role.CLIENT else None
