"""/healthz, /readyz and /metrics: for the orchestrator and for Prometheus."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from app.api.json import Json
from app.auth import Engineer
from app.errors import Unready, responses
from app.metrics import Metrics
from core.database import Database


def routes(database: Database, metrics: Metrics, jobs: Callable[[], Awaitable[int]]) -> APIRouter:
    """The router of this surface. The health checks need no key; they tell nothing but yes or no.

    The metrics need a key of role engineer or above. There is no exception for callers on this machine: behind
    a proxy everybody would be one. `jobs` counts the ingestion queue.
    """
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=dict[str, str])
    async def healthz() -> Response:
        """Say that the process is alive."""
        return Json({"status": "ok"})

    @router.get("/readyz", response_model=dict[str, str], responses={503: responses()[503]})
    async def readyz() -> Response:
        """Say that requests can be served: the database answers."""
        try:
            async with database.session() as session:
                await session.execute(text("SELECT 1"))
        except (DBAPIError, OSError) as error:
            raise Unready("The database does not answer.") from error
        return Json({"status": "ready"})

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **responses(403)},
    )
    async def read_metrics(caller: Engineer) -> Response:
        """Give every metric in Prometheus' text format."""
        return Response(metrics.render(await jobs()), media_type=CONTENT_TYPE_LATEST)

    return router
