"""Requests a minute and tokens a day, for each key: counted in process, or in Redis for several processes."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Unready
from core.errors import MissingExtra, RateLimited
from core.identity import Credential
from core.settings import LimitSettings

Headers = list[tuple[bytes, bytes]]


class Limits:
    """Counts what each key asks for and spends.

    The rate is a sliding window of a minute (two fixed windows, weighted: no burst at the edge). Tokens are
    counted by UTC day. They are known only afterwards, so a key is refused once it is over, not when it will be.
    `spent` tells how many tokens a key has used today according to the database: asked once a key and day, so
    that a restart does not hand out the quota again.
    """

    def __init__(self, settings: LimitSettings, redis_url: str | None, spent: Callable[[str], Awaitable[int]]) -> None:
        self._storage = _storage(redis_url)
        self._rate = SlidingWindowCounterRateLimiter(self._storage)
        self._settings = settings
        self._spent = None if redis_url else spent
        self._loaded: tuple[str, set[str]] = ("", set())

    async def admit(self, credential: Credential) -> Headers:
        """Count one request and return the headers that tell the caller where it stands.

        Raises `RateLimited`, and `Unready` when the shared store cannot be reached.
        """
        key_id = credential.principal.key_id
        rate = RateLimitItemPerMinute(credential.requests_per_minute or self._settings.requests_per_minute)
        try:
            admitted = await self._rate.hit(rate, key_id)
            window = await self._rate.get_window_stats(rate, key_id)
            tokens_left = await self._tokens_left(credential)
        except StorageError as error:
            raise Unready("The limits of your key cannot be checked just now.") from error
        seconds = max(0.0, window.reset_time - time())
        if not admitted:
            raise RateLimited(f"Over {rate.amount} requests a minute.", retry_after=seconds)
        if tokens_left <= 0:
            raise RateLimited("Today's tokens are used up.", retry_after=_until_midnight(), code="quota_exceeded")
        return [
            (b"x-ratelimit-limit-requests", b"%d" % rate.amount),
            (b"x-ratelimit-remaining-requests", b"%d" % window.remaining),
            (b"x-ratelimit-reset-requests", b"%ds" % math.ceil(seconds)),
            (b"x-ratelimit-remaining-tokens", b"%d" % tokens_left),
        ]

    async def spend(self, credential: Credential, tokens: int) -> None:
        """Count tokens against today's quota. Raises `Unready` when the shared store cannot be reached."""
        try:
            await self._storage.incr(_counter(credential), 86_400, tokens)
        except StorageError as error:
            raise Unready("The limits of your key cannot be kept just now.") from error

    async def _tokens_left(self, credential: Credential) -> int:
        if self._spent is not None:
            await self._restore(credential, self._spent)
        quota = credential.tokens_per_day or self._settings.tokens_per_day
        return quota - await self._storage.get(_counter(credential))

    async def _restore(self, credential: Credential, spent: Callable[[str], Awaitable[int]]) -> None:
        """Take over what the key has spent today before this process counted."""
        day, key_id = _today(), credential.principal.key_id
        if self._loaded[0] != day:
            self._loaded = (day, set())
        if key_id not in self._loaded[1]:
            self._loaded[1].add(key_id)
            await self.spend(credential, await spent(key_id))


class RateLimit:
    """Admits authenticated requests one by one."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or raise `RateLimited`."""
        state = scope.get("state", {})
        if "credential" in state:
            state["headers"] += await self._limits.admit(state["credential"])
        await self.app(scope, receive, send)


def _storage(redis_url: str | None) -> MemoryStorage | RedisStorage:
    if redis_url is None:
        return MemoryStorage()
    if importlib.util.find_spec("redis") is None:
        raise MissingExtra("redis", "redis")
    return RedisStorage(f"async+{redis_url}", wrap_exceptions=True, implementation="redispy")


def _counter(credential: Credential) -> str:
    return f"tokens/{credential.principal.key_id}/{_today()}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _until_midnight() -> float:
    """Seconds until the quota's day ends, which is at midnight UTC."""
    moment = datetime.now(UTC)
    midnight = (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - moment).total_seconds()
