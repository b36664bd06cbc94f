"""POST /api/search: the passages that speak to a question, as far as the caller may see them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.json import StrictJsonRoute, listing
from app.auth import Anyone
from app.errors import responses
from core.ports import PassageSearch


class SearchRequest(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S", examples=["how do I return a tent?"])]
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class FoundPassage(BaseModel):
    """A passage; `start` and `end` are its place in the document's text, `score` compares within one search."""

    document_id: str
    title: str
    headings: list[str]
    text: str
    start: int
    end: int
    position: int
    score: float


class SearchResults(BaseModel):
    """The passages, best first, and how probable it is that they hold the answer."""

    object: str
    answerability: float
    data: list[FoundPassage]


def routes(search: PassageSearch) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/search", tags=["search"], route_class=StrictJsonRoute)

    @router.post("", response_model=SearchResults, responses=responses(409, 422))
    async def search_passages(body: SearchRequest, caller: Anyone) -> Response:
        """Search the documents."""
        findings = await search.search(body.query, caller.scope, body.limit)
        hits = [{**asdict(hit.passage), "score": float(hit.score)} for hit in findings.hits]
        return listing(hits, answerability=float(findings.answerability))

    return router
