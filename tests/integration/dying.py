"""A worker that performs one effect through the ledger and dies at a given moment.

Nothing in the ledger knows of it: the worker hands it a `Database` and a `Destination` that kill the process.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import httpx2
from sqlalchemy.ext.asyncio import AsyncSession

from core.canonical import JSON
from core.database import Database
from core.effects import Destination, Effect
from core.errors import Conflict, InFlight
from core.ledger import Ledger

# Short, so that a dead worker's effect is soon taken over; long against the destination's two moments of 30 ms.
LEASE, SETTLE, PATIENCE = timedelta(seconds=1), timedelta(seconds=0.4), timedelta(seconds=90)


class Moment(StrEnum):
    """When to die."""

    BEFORE_RESERVE = "before reserve"
    IN_RESERVE = "in reserve, before its commit"
    AFTER_RESERVE = "after reserve"
    BEFORE_READ_BACK = "after taking over, before reading back"
    AFTER_READ_BACK = "after reading back"
    DURING_EXECUTE = "during execute"
    AFTER_EXECUTE = "after execute, before finalize"
    IN_FINALIZE = "in finalize, before its commit"
    AFTER_FINALIZE = "after finalize"
    ANY = "at random"


@dataclass
class Mortal:
    """The moment to die at, and where the worker is. `delay` is how long into an execution, in seconds."""

    end: Moment | None
    delay: float
    executed: bool = False

    def reach(self, moment: Moment) -> None:
        """Die, if this is the moment."""
        if moment is self.end:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    """Transactions before the effect reserve it; the first one after it finalises it."""

    def __init__(self, dsn: str, mortal: Mortal) -> None:
        super().__init__(dsn)
        self._mortal = mortal

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        finalizing = self._mortal.executed
        self._mortal.reach(Moment.AFTER_EXECUTE if finalizing else Moment.BEFORE_RESERVE)
        async with super().session() as session:
            yield session
            await session.flush()
            self._mortal.reach(Moment.IN_FINALIZE if finalizing else Moment.IN_RESERVE)
        self._mortal.reach(Moment.AFTER_FINALIZE if finalizing else Moment.AFTER_RESERVE)


class MortalDestination:
    """The destination over HTTP, and the moments around its two requests."""

    def __init__(self, http: httpx2.AsyncClient, kind: str, mortal: Mortal) -> None:
        self._http = http
        self._kind = kind
        self._mortal = mortal

    async def execute(self, effect: Effect) -> JSON:
        if self._mortal.end is Moment.DURING_EXECUTE:
            asyncio.get_running_loop().call_later(self._mortal.delay, self._mortal.reach, Moment.DURING_EXECUTE)
        answer = await self._send(
            "POST", f"/{self._kind}/effects", json=effect.arguments, headers={"idempotency-key": effect.key}
        )
        self._mortal.executed = True
        if answer.status_code == httpx2.codes.CONFLICT:
            raise Conflict(answer.json()["message"], param="order")
        result: JSON = answer.raise_for_status().json()
        return result

    async def outcome(self, effect: Effect) -> JSON:
        self._mortal.reach(Moment.BEFORE_READ_BACK)
        answer = await self._send("GET", f"/{self._kind}/effects/{effect.key}")
        self._mortal.reach(Moment.AFTER_READ_BACK)
        if answer.status_code == httpx2.codes.NOT_FOUND:
            return None
        self._mortal.executed = True
        result: JSON = answer.raise_for_status().json()
        return result

    async def _send(self, method: str, path: str, **options: object) -> httpx2.Response:
        try:
            return await self._http.request(method, path, **options)  # type: ignore[arg-type]
        except httpx2.TimeoutException as problem:
            raise TimeoutError(str(problem)) from problem
        except httpx2.TransportError as problem:
            raise ConnectionError(str(problem)) from problem


async def perform(dsn: str, url: str, kind: str, effect: Effect, mortal: Mortal) -> JSON:
    """Perform the effect; a refusal is a result too. Does not return when the worker dies on the way."""
    database = MortalDatabase(dsn, mortal)
    async with httpx2.AsyncClient(base_url=url, timeout=20, trust_env=False, verify=False) as http:
        destination: Destination = MortalDestination(http, kind, mortal)
        ledger = Ledger(database, lease=LEASE, settle=SETTLE, patience=PATIENCE)
        try:
            return await ledger.perform(effect, destination)
        except InFlight:
            raise  # a Conflict, but no refusal
        except Conflict as refusal:
            return {"refused": refusal.message, "param": refusal.param}
        finally:
            await database.close()
