"""/api/segments: the segments of customers in force, and in which of them a customer is. For staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.api.calls import PathId
from app.api.json import Json, StrictJsonRoute
from app.auth import Staff
from app.errors import responses
from app.segments.served import Placed, ServedSegments
from tabular.tasks.segments import Segment


class SegmentView(BaseModel):
    """A segment as it was when it was found; what is typical is the median of its customers. Money is decimal."""

    object: str = "segment"
    number: int
    words: str
    customers: int
    spending_share: float = Field(description="of all that was spent, 0 to 1")
    recency_days: float
    purchases: float
    spending: str


class SegmentList(BaseModel):
    """The segments of the model, the version in the registry, as of the latest order when they were found.

    The one whose customers spend most comes first. `silhouette` is its mean, of customers by segments that were found
    without them: 1 is far apart, 0 is no segments at all.
    """

    object: str = "segments"
    model: int
    as_of: datetime
    silhouette: float
    data: list[SegmentView]


class CustomerSegmentView(BaseModel):
    """A customer's segment by the orders as they are now.

    `as_of` is when the company's latest order was placed, and `recency_days` are counted up to it. `spending` is what
    was really paid, a decimal.
    """

    object: str = "customer.segment"
    customer_id: str
    segment: int
    words: str
    recency_days: float
    purchases: int
    spending: str
    as_of: datetime
    model: int


def routes(served: ServedSegments) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/segments", tags=["segments"], route_class=StrictJsonRoute)

    @router.get("", response_model=SegmentList, responses=responses(403, 409))
    async def list_segments(caller: Staff) -> Response:
        """Say which segments there are, how large they were when they were found, and what is typical of each."""
        version, dated = served.current(caller.tenant)
        told = {
            "object": "segments",
            "model": version,
            "as_of": dated.moment,
            "silhouette": dated.segments.silhouette,
            "data": [_segment(number, each) for number, each in enumerate(dated.segments.each, start=1)],
        }
        return Json(told)

    @router.get("/{customer_id}", response_model=CustomerSegmentView, responses=responses(403, 404, 409, 422, 502, 504))
    async def get_segment(customer_id: PathId, caller: Staff) -> Response:
        """Say in which segment a customer is now, and why: recency, frequency and spending."""
        version, placed = await served.of(caller.tenant, customer_id)
        return Json(_customer(customer_id, version, placed))

    return router


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "object": "segment",
        "number": number,
        "words": segment.words,
        "customers": segment.customers,
        "spending_share": round(segment.share, 4),
        "recency_days": round(segment.recency, 1),
        "purchases": segment.purchases,
        "spending": f"{segment.spending:.2f}",
    }


def _customer(customer: str, version: int, placed: Placed) -> dict[str, Any]:
    return {
        "object": "customer.segment",
        "customer_id": customer,
        "segment": placed.number,
        "words": placed.words,
        "recency_days": round(placed.recency, 1),
        "purchases": placed.purchases,
        "spending": f"{placed.spending:.2f}",
        "as_of": placed.moment,
        "model": version,
    }
