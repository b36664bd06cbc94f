"""/api/tickets/{id}/suggestions: what the staff may do about a ticket. Nothing is done by looking at it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from agents.suggesting import Suggesting, Suggestions
from agents.triage import Judged
from app.accounts import Accounts
from app.api.calls import PathId
from app.api.json import Json
from app.auth import Staff
from app.errors import responses
from app.runs.wayside import WAYSIDE
from core.tickets import Team
from core.types import Verdict


class JudgedView(BaseModel):
    """One judgement. `sure` says that 95 of 100 such judgements are right; otherwise a person had better look."""

    label: str
    probability: float
    sure: bool


class DuplicateView(BaseModel):
    """An open ticket that may be about the same matter; by the `same_customer` it is rather a repetition."""

    ticket_id: str
    cosine: float
    subject: str
    same_customer: bool


class CitationView(BaseModel):
    """The evidence for what stands before the mark `[marker]`: `quote` is `start:end` of the document's text."""

    marker: int
    document_id: str
    title: str
    headings: list[str]
    quote: str
    start: int
    end: int
    score: float
    verdict: Verdict


class ReplyView(BaseModel):
    """A draft of a reply. `declined` says that the documents that the customer may see do not answer the ticket."""

    text: str
    citations: list[CitationView]
    declined: bool


class ActionView(BaseModel):
    """A call for `POST /api/tools/{tool}`, with what speaks for it."""

    tool: str
    arguments: dict[str, Any]
    subject: dict[str, str] = Field(description="binds the call to the ticket and its customer")
    reasons: list[str]


class SuggestionsView(BaseModel):
    """Suggestions for a ticket. `next_action` is null where nothing speaks for one."""

    object: str = "suggestions"
    ticket_id: str
    category: JudgedView
    priority: JudgedView
    sentiment: JudgedView
    team: Team
    duplicates: list[DuplicateView]
    reply: ReplyView
    next_action: ActionView | None


def routes(suggesting: Suggesting, accounts: Accounts) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/tickets", tags=["tickets"])

    @router.get("/{ticket_id}/suggestions", response_model=SuggestionsView, responses=responses(403, 404, 502, 504))
    async def get_suggestions(request: Request, ticket_id: PathId, caller: Staff) -> Response:
        """Suggest what to do about a ticket: how to sort it, what to answer, which tool to use next."""
        found = await suggesting.suggest(caller, ticket_id)
        await accounts.book(request, WAYSIDE, found.reply.engine, found.reply.usage)
        return Json(_view(found))

    return router


def _view(found: Suggestions) -> dict[str, Any]:
    action = found.next_action
    return {
        "object": "suggestions",
        "ticket_id": found.ticket_id,
        "category": _judged(found.triaged.category),
        "priority": _judged(found.triaged.priority),
        "sentiment": _judged(found.triaged.sentiment),
        "team": found.team.value,
        "duplicates": [asdict(each) for each in found.duplicates],
        "reply": {
            "text": found.reply.text,
            "citations": [asdict(each) for each in found.reply.citations],
            "declined": found.reply.declined,
        },
        "next_action": None if action is None else asdict(action),
    }


def _judged(judged: Judged) -> dict[str, Any]:
    return {"label": judged.value, "probability": judged.confidence, "sure": judged.sure}
