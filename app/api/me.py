"""/api/me: who is asking."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from app.api.json import Json
from app.auth import Anyone
from app.errors import responses
from core.types import Role


class Me(BaseModel):
    """The key that the request came with: whose company it belongs to, what it may do, and whom it acts for."""

    object: str
    key_id: str
    tenant: str
    role: Role
    customer_id: str | None


def routes() -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/me", tags=["keys"])

    @router.get("", response_model=Me, responses=responses())
    async def who_am_i(caller: Anyone) -> Response:
        """Say whom the key stands for."""
        return Json(
            {
                "object": "principal",
                "key_id": caller.key_id,
                "tenant": caller.tenant,
                "role": caller.role.value,
                "customer_id": caller.customer_id,
            }
        )

    return router
