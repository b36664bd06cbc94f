"""Tells a webhook what started and what ended: signed, the oldest first, each until it was taken.

An alert lies in the database before anybody is told, so a process that dies loses none. One that was taken is marked
and never sent again; only who dies between the answer and the mark sends one twice, under the same id.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

import httpx2
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from app import logs
from app.drift.tables import DriftAlertRow
from app.runs.finishing import finished
from app.runs.log import wait
from core.database import Database, now
from core.settings import DriftSettings

SIGNATURE = "x-wayside-signature"
"""The header with `sha256=` and the HMAC of the body, in hexadecimal."""

DELIVERY = "x-wayside-delivery"
"""The header with the alert's id: the same when it is sent again."""

_FIRST_WAIT = timedelta(minutes=1)
_DOUBLINGS = 6
_TOGETHER = 10
_POLL = 15.0


@dataclass(frozen=True, slots=True)
class _Due:
    tenant: str
    id: str
    body: bytes
    attempts: int


class Alerts:
    """Delivers. Without a URL there is nothing to deliver, as nothing is kept for it."""

    def __init__(
        self,
        database: Database,
        settings: DriftSettings,
        made: asyncio.Event,
        *,
        poll: float = _POLL,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """`made` is set when there may be a new alert; `poll` is in seconds."""
        self._database = database
        self._url = None if settings.webhook_url is None else str(settings.webhook_url)
        self._secret = b"" if settings.webhook_secret is None else settings.webhook_secret.get_secret_value().encode()
        self._timeout = settings.webhook_timeout
        self._made = made
        self._poll = poll
        self._transport = transport

    async def run(self) -> None:
        """Deliver until cancelled. A database or a receiver that is away is tried again."""
        while True:
            self._made.clear()
            try:
                await self.deliver()
            except (DBAPIError, OSError) as problem:
                logs.logger.warning("alerts were not read", **logs.describe(problem))
            await wait(self._made, self._poll)

    async def deliver(self) -> int:
        """Send what is due, the oldest first, each once; how many were taken."""
        taken = 0
        if self._url is None:
            return taken
        # A redirect would lead to where nobody meant to send it.
        async with httpx2.AsyncClient(
            timeout=self._timeout, follow_redirects=False, transport=self._transport
        ) as client:
            while (due := await finished(self._claim())) is not None:
                if not await self._send(client, self._url, due):
                    continue
                await finished(self._mark(due))
                taken += 1
        return taken

    async def _claim(self) -> _Due | None:
        """Take the oldest alert that is due; by compare-and-set, no other gateway sends it until it is due again."""
        waits = DriftAlertRow.delivered_at.is_(None), DriftAlertRow.due_at <= now()
        oldest = select(DriftAlertRow).where(*waits).order_by(DriftAlertRow.id).limit(_TOGETHER)
        async with self._database.session() as session:
            for row in (await session.scalars(oldest)).all():
                patience = _FIRST_WAIT * 2 ** min(row.attempts, _DOUBLINGS)
                # Nobody else may think it lost while an answer is still waited for.
                again = now() + max(patience, timedelta(seconds=2 * self._timeout))
                ours = update(DriftAlertRow).where(
                    DriftAlertRow.tenant == row.tenant,
                    DriftAlertRow.id == row.id,
                    DriftAlertRow.attempts == row.attempts,
                    DriftAlertRow.delivered_at.is_(None),
                )
                values = {"attempts": row.attempts + 1, "due_at": again}
                claimed = await session.execute(
                    ours.values(values).returning(DriftAlertRow.id).execution_options(synchronize_session=False)
                )
                if claimed.first() is not None:
                    return _Due(row.tenant, row.id, row.body, row.attempts + 1)
        return None

    async def _send(self, client: httpx2.AsyncClient, url: str, due: _Due) -> bool:
        headers = {
            "content-type": "application/json",
            SIGNATURE: signature(self._secret, due.body),
            DELIVERY: due.id,
        }
        try:
            answer = await client.post(url, content=due.body, headers=headers)
        except httpx2.HTTPError as problem:
            logs.logger.warning("an alert was not delivered", alert=due.id, **logs.describe(problem))
            return False
        if not answer.is_success:
            logs.logger.warning("an alert was refused", alert=due.id, status=answer.status_code)
            return False
        return True

    async def _mark(self, due: _Due) -> None:
        sent = update(DriftAlertRow).where(DriftAlertRow.tenant == due.tenant, DriftAlertRow.id == due.id)
        async with self._database.session() as session:
            await session.execute(sent.values(delivered_at=now()))


def signature(secret: bytes, body: bytes) -> str:
    """What `SIGNATURE` holds for a body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
