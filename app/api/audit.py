"""/api/audit: who did what, and whether the record of it is whole. For admins, within their own tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from app.api.json import Json, listing
from app.auth import Admin
from app.errors import responses
from core.audit import Audit, Recorded

_LARGEST = 2**63 - 1


class AuditEntry(BaseModel):
    """An entry of the audit log. `hash` is the SHA-256 of its canonical JSON, which has `previous` inside."""

    number: int
    at: datetime
    actor: str
    action: str
    object: str
    payload: dict[str, Any]
    previous: str
    hash: str


class AuditEntries(BaseModel):
    """Entries, oldest first."""

    object: str
    data: list[AuditEntry]


class BrokenLink(BaseModel):
    """The first entry that does not hold, and why."""

    number: int
    reason: str


class AuditVerification(BaseModel):
    """How many entries hold, the hash of the last of them (worth noting elsewhere), and the first broken link."""

    object: str
    entries: int
    hash: str
    broken: BrokenLink | None


def routes(audit: Audit) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/audit", tags=["audit"])

    @router.get("", response_model=AuditEntries, responses=responses(403))
    async def list_entries(
        caller: Admin,
        of: Annotated[str | None, Query(alias="object", max_length=200, pattern=r"^[^\x00]*$")] = None,
        after: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """List the entries with a number above `after`; those of one object where `object` names it."""
        return listing([_view(each) for each in await audit.entries(caller.tenant, of=of, after=after, limit=limit)])

    @router.get("/verification", response_model=AuditVerification, responses=responses(403))
    async def verify(caller: Admin, known: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None) -> Response:
        """Check the whole chain; `known` is a hash noted earlier, which must still be in it."""
        found = await audit.verify(caller.tenant, known=known)
        broken = None if found.broken is None else {"number": found.broken.number, "reason": found.broken.reason}
        return Json({"object": "audit.verification", "entries": found.entries, "hash": found.hash, "broken": broken})

    return router


def _view(record: Recorded) -> dict[str, Any]:
    entry = record.entry
    return {
        "number": record.number,
        "at": record.at,
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "payload": entry.payload,
        "previous": record.previous,
        "hash": record.hash,
    }
