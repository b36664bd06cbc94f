"""Calls a remote system: with its headers, in time, again where that does no harm, and with errors that tell apart
what was refused, what was not done, and what nobody knows.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2

from agents.systems.remote.mapping import fill
from agents.systems.remote.operation import Answer_co, Operation
from core.errors import InFlight, NotFound, OutcomeUnknown, SystemFault, SystemUnavailable, WaysideError
from core.systems import RemoteSettings

LONGEST_ANSWER = 32 * 2**20
SHORT_ANSWER = 16 * 2**10
LONGEST_BACKOFF = 5.0
LONGEST_RETRY_AFTER = 86_400.0

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
# Refused before anything was done, by everybody's understanding of the status.
_BUSY = frozenset({429})
_CREDENTIALS = frozenset({401, 403, 407})
_MAYBE_LATER = frozenset({408, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt that may be made again. `perhaps_done` says that the system may have acted all the same."""

    why: str
    perhaps_done: bool
    after: float | None = None


class RemoteSystem:
    """A pool of connections to one system. `transport` and `sleep` are handed in by tests."""

    def __init__(
        self,
        settings: RemoteSettings,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        # Half of the time for connecting, so that a system that is away is told from one that is slow.
        timeout = httpx2.Timeout(settings.timeout, connect=settings.timeout / 2, pool=settings.timeout / 2)
        # A cookie given to one tenant's request would travel with the next tenant's: none is kept.
        cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._http = httpx2.AsyncClient(timeout=timeout, transport=transport, trust_env=False, cookies=cookies)

    async def read(
        self, operation: Operation[Answer_co], tenant: str, fields: Any, key: str | None = None
    ) -> Answer_co | None:
        """Ask for something; None when there is no such thing. Raises `SystemFault` or `InvalidInput`."""
        if self._settings.tenant not in (None, tenant):
            return None
        try:
            return await self._call(operation, tenant, fields, key)
        except NotFound:
            return None

    async def act(self, operation: Operation[Answer_co], tenant: str, key: str, fields: Any) -> Answer_co:
        """Have something done. Raises what the ports of `core/ports.py` promise."""
        if self._settings.tenant not in (None, tenant):
            raise NotFound("no such thing")
        done = await self._call(operation, tenant, fields, key)
        if done is None:
            raise OutcomeUnknown(f"the system answered {operation.name} with nothing")
        return done

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _call(
        self, operation: Operation[Answer_co], tenant: str, fields: Any, key: str | None
    ) -> Answer_co | None:
        request = operation.request(fill(self._settings.url, {"tenant": tenant}, path=True), fields, tenant, key)
        request["headers"] = self._headers(tenant, key if operation.acts else None)
        repeatable = not operation.acts or self._settings.idempotency_header is not None
        perhaps_done = False
        for attempt in itertools.count():
            try:
                outcome = await self._attempt(operation, request)
            except WaysideError as refusal:
                # It may be refused because an earlier attempt did it, so that is no answer to the first question.
                if perhaps_done:
                    raise OutcomeUnknown(f"{operation.name} was cut off, and then refused: {refusal}") from refusal
                raise
            if not isinstance(outcome, _Failure):
                return outcome
            perhaps_done |= operation.acts and outcome.perhaps_done
            last = attempt == self._settings.retries or (perhaps_done and not repeatable)
            if last or (outcome.after or 0) > self._settings.patience:
                raise _given_up(operation.name, outcome, perhaps_done)
            await self._sleep(self._pause(attempt, outcome.after))
        raise AssertionError("the attempts are counted")

    async def _attempt(self, operation: Operation[Answer_co], request: dict[str, Any]) -> Answer_co | _Failure | None:
        try:
            async with asyncio.timeout(self._settings.timeout):
                status, headers, content = await self._send(request)
        except _NEVER_SENT:
            return _Failure("the system cannot be reached", perhaps_done=False)
        except (TimeoutError, httpx2.TimeoutException):
            return _Failure("the system gave no answer in time", perhaps_done=True)
        except (httpx2.TransportError, httpx2.DecodingError) as problem:
            return _Failure(f"the connection broke ({type(problem).__name__})", perhaps_done=True)
        if 200 <= status < 300:
            return await self._understood(operation, content)
        refusal = operation.refusal(status, content)
        if isinstance(refusal, InFlight):
            return _Failure(refusal.message, perhaps_done=True, after=_retry_after(headers))
        if refusal is not None:
            raise refusal
        if status in _BUSY or status in _MAYBE_LATER:
            return _Failure(f"status {status}", perhaps_done=status not in _BUSY, after=_retry_after(headers))
        if status in _CREDENTIALS:
            raise SystemUnavailable(f"the system refuses our credentials (status {status})")
        if operation.acts and status < 400:
            raise OutcomeUnknown(f"{operation.name} was answered with status {status}, which nobody can read")
        raise SystemFault(f"{operation.name} was answered with status {status}, which the settings do not explain")

    async def _understood(self, operation: Operation[Answer_co], content: bytes) -> Answer_co | None:
        try:
            if len(content) <= SHORT_ANSWER:
                return operation.answer(content)
            # A thousand products take a while to read, which others on the event loop need not wait for.
            return await asyncio.to_thread(operation.answer, content)
        except SystemFault as problem:
            if operation.acts:
                raise OutcomeUnknown(f"it was done, but {problem}") from problem
            raise

    async def _send(self, request: dict[str, Any]) -> tuple[int, httpx2.Headers, bytes]:
        async with self._http.stream(**request) as response:
            content = bytearray()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > LONGEST_ANSWER:
                    raise httpx2.ReadError("the answer is too long")
            return response.status_code, response.headers, bytes(content)

    def _headers(self, tenant: str, key: str | None) -> dict[str, str]:
        secret = self._settings.secret
        values = {"tenant": tenant, "secret": secret.get_secret_value() if secret else None}
        headers = {name: fill(text, values) for name, text in self._settings.headers.items()}
        if key is not None and self._settings.idempotency_header is not None:
            headers[self._settings.idempotency_header] = key
        return headers

    def _pause(self, attempt: int, after: float | None) -> float:
        """What the system asked for, or a doubling wait, by chance shorter, lest all callers come back at once."""
        if after is not None:
            return after
        wait = min(LONGEST_BACKOFF, self._settings.backoff * 2.0**attempt)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311


def _given_up(name: str, failure: _Failure, perhaps_done: bool) -> SystemFault:
    if perhaps_done:
        return OutcomeUnknown(f"nobody knows whether {name} was done: {failure.why}")
    return SystemUnavailable(f"{name} could not be asked for: {failure.why}", retry_after=failure.after)


def _retry_after(headers: httpx2.Headers) -> float | None:
    """The seconds of a `Retry-After` header, which may be a number or a date (RFC 9110, 10.2.3)."""
    told = headers.get("retry-after")
    if told is None:
        return None
    if told.isdecimal():
        return min(float(told), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
