"""Operations of the protocol that are not offered: their paths exist, and say why."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from app.auth import Anyone
from app.errors import responses
from core.errors import UnsupportedOperation


@dataclass(frozen=True, slots=True)
class Refusal:
    """One operation. The path's parameters are not looked at."""

    method: str
    path: str
    name: str
    why: str


def refuse(router: APIRouter, *refusals: Refusal) -> None:
    """Add each to the router, outside of the API's description: there is nothing to call."""
    for refusal in refusals:
        _add(router, refusal)


def _add(router: APIRouter, refusal: Refusal) -> None:
    async def refused(caller: Anyone) -> Response:
        raise UnsupportedOperation(refusal.why)

    router.add_api_route(
        refusal.path,
        refused,
        methods=[refusal.method],
        name=refusal.name,
        include_in_schema=False,
        responses=responses(),
    )
