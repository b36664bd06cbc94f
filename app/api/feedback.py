"""/api/feedback: what people think of answers and suggestions, and what these should have been."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from agents.corrections import Correction, Kind, Rating, check_storable, kind_of
from agents.feedback import RATING, About, Feedback, Said
from app.api.calls import ID, PathId
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone, Staff
from app.errors import responses
from app.feedback import FeedbackDesk
from core.types import Role


def _storable(text: str) -> str:
    check_storable(text)
    return text


class AboutView(BaseModel):
    """The thing that feedback is about: a turn by its id (`wayside.turn_id`, or its run's), or a ticket."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    id: Annotated[str, Field(pattern=ID)]


class NewFeedback(BaseModel):
    """At least one of rating, correction and comment. Corrections, and all about tickets, take a key of staff."""

    model_config = ConfigDict(extra="forbid")

    about: AboutView
    rating: Rating | None = None
    correction: Correction | None = Field(None, description="of one kind; the thing decides which there are")
    comment: Annotated[str, Field(max_length=10_000), AfterValidator(_storable)] | None = None


class FeedbackView(BaseModel):
    """What one person said about one thing.

    `kind` is the correction's (`answer`, `category` …), or `rating` where there is none. `author` is a customer or a
    key. `snapshot` is the thing as it was then, as looked up by the server: `text` is the question, or the ticket's
    subject and message.
    """

    object: str
    id: str
    about: AboutView
    kind: str
    rating: Rating | None
    correction: dict[str, Any] | None
    comment: str | None
    author: str
    role: Role
    snapshot: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class FeedbackList(BaseModel):
    """One page of feedback, the latest first; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[FeedbackView]
    has_more: bool


def routes(desk: FeedbackDesk) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/feedback", tags=["feedback"], route_class=StrictJsonRoute)

    @router.post("", status_code=201, response_model=FeedbackView, responses=responses(403, 404, 409, 422, 502, 504))
    async def give_feedback(body: NewFeedback, caller: Anyone) -> Response:
        """Say what you think of a turn or a ticket's suggestions, or what was right.

        Who says something of the same kind about the same thing again replaces what they said.
        """
        kind = RATING if body.correction is None else kind_of(body.correction)
        correction = None if body.correction is None else body.correction.model_dump(mode="json")
        said = Said(kind, body.rating, correction, body.comment or None)
        given = await desk.give(caller, About(body.about.kind, body.about.id), said)
        return Json(_view(given), 201)

    @router.get("", response_model=FeedbackList, responses=responses(403, 404))
    async def list_feedback(
        caller: Staff,
        kind: Annotated[Kind | None, Query(description="what it is about")] = None,
        about_id: Annotated[str | None, Query(pattern=ID)] = None,
        rating: Annotated[Rating | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=ID)] = None,
    ) -> Response:
        """List the company's feedback, filtered by everything that is given."""
        found = await desk.store.list(
            caller.tenant, kind=kind, about_id=about_id, rating=rating, limit=limit + 1, after=after
        )
        return listing([_view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.delete("/{feedback_id}", status_code=204, responses=responses(403, 404))
    async def take_back_feedback(feedback_id: PathId, caller: Anyone) -> Response:
        """Take feedback back: your own, or anybody's as an admin."""
        await desk.take_back(caller, feedback_id)
        return Response(status_code=204)

    return router


def _view(feedback: Feedback) -> dict[str, Any]:
    said = feedback.said
    return {
        "object": "feedback",
        "id": feedback.id,
        "about": {"kind": feedback.about.kind.value, "id": feedback.about.id},
        "kind": said.kind,
        "rating": said.rating,
        "correction": said.correction,
        "comment": said.comment,
        "author": feedback.author,
        "role": feedback.role.value,
        "snapshot": feedback.snapshot,
        "created_at": feedback.created,
        "updated_at": feedback.updated,
    }
