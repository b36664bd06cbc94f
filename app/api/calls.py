"""How a request becomes a call of a tool, and what became of the call an answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from agents.acting import Acting, Call, Declined, Waiting
from agents.decisions import Approval, ApprovalStatus, DecisionKind, EffectStatus
from agents.tools.tool import Caller, Subject
from app.api.json import Json
from core.canonical import JSON
from core.errors import Conflict
from core.types import Principal, Role

ID = r"^[!-~]{1,64}$"
PathId = Annotated[str, Path(pattern=ID)]


class VoteView(BaseModel):
    """What one person decided. `arguments` are those of an edit."""

    by: str
    at: datetime
    decision: DecisionKind
    arguments: dict[str, Any] | None
    text: str


class ApprovalView(BaseModel):
    """A call that waits, or waited, for people.

    `arguments` are as proposed and never change; `approved` are those that people agreed to. `by` is the least role
    that may decide, `assignee` the one key that may, `quorum` how many people it takes, `four_eyes` whether the
    proposer is not one of them. `effect` says how the approved call ended, `result` what it gave or why it was
    refused; both are null until then.
    """

    object: str = "approval"
    id: str
    tool: str
    arguments: dict[str, Any]
    subject: dict[str, str] = Field(description="the customer, order or ticket that the call is about")
    thread: str
    proposed_by: str
    reason: str
    by: Role
    assignee: str | None
    quorum: int
    four_eyes: bool
    created_at: datetime
    expires_at: datetime
    status: ApprovalStatus
    votes: list[VoteView]
    approved: dict[str, Any] | None
    decided_at: datetime | None
    effect: EffectStatus | None
    result: Any | None


async def perform(
    acting: Acting,
    request: Request,
    principal: Principal,
    tool: str,
    arguments: Mapping[str, Any],
    view: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    subject: Subject | None = None,
    status: int = 200,
) -> Response:
    """Call the tool and answer with what it did, or with 202 and the approval that it waits for.

    The request's `Idempotency-Key` names the call, so that a repetition is the same call even where the first answer
    was never kept. Raises what `Acting.perform` raises, and `Conflict` when people declined it.
    """
    thread = f"api/{principal.key_id}/{request.headers.get('idempotency-key') or uuid.uuid4().hex}"
    outcome = await acting.perform(Caller(principal, subject), Call(thread, 0, 0, tool, arguments))
    if isinstance(outcome, Waiting):
        return Json(approval_view(outcome.approval), 202)
    if isinstance(outcome, Declined):
        declined = outcome.approval
        text = f"{declined.id} is {declined.status.value}: {declined.answer()}"
        raise Conflict(text, code=f"approval_{declined.status.value}")
    return Json(view(cast("Mapping[str, Any]", outcome.result)), status)


def approval_view(approval: Approval) -> dict[str, JSON]:
    """The approval as `ApprovalView` has it."""
    return {
        "object": "approval",
        "id": approval.id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "subject": approval.subject.given(),
        "thread": approval.thread,
        "proposed_by": approval.proposed_by,
        "reason": approval.reason,
        "by": approval.by.value,
        "assignee": approval.assignee,
        "quorum": approval.quorum,
        "four_eyes": approval.four_eyes,
        "created_at": approval.created.isoformat(),
        "expires_at": approval.expires.isoformat(),
        "status": approval.status.value,
        "votes": [
            {
                "by": vote.by,
                "at": vote.at.isoformat(),
                "decision": vote.decision.kind.value,
                "arguments": vote.decision.arguments,
                "text": vote.decision.text,
            }
            for vote in approval.votes
        ],
        "approved": approval.approved,
        "decided_at": None if approval.decided is None else approval.decided.isoformat(),
        "effect": None if approval.effect is None else approval.effect.value,
        "result": approval.outcome,
    }
