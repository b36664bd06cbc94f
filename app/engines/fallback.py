"""An engine that stands in for another one that cannot answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from app.engines.breaker import FAILURES, CircuitBreaker
from app.engines.chunks import begin
from app.engines.protocol import Completion, CompletionStream, Engine, Json

T = TypeVar("T")


class FallbackEngine:
    """Asks `primary`; when it is unreachable, refuses, takes too long or its circuit is open, asks `fallback`.

    A request that the primary calls wrong is not tried elsewhere. A stream falls back only before its first chunk:
    what was said is said. The answer names the engine that gave it.
    """

    def __init__(self, primary: Engine, fallback: Engine, breaker: CircuitBreaker) -> None:
        self._primary = primary
        self._fallback = fallback
        self.breaker = breaker

    @property
    def name(self) -> str:
        """The primary's name."""
        return self._primary.name

    @property
    def models(self) -> tuple[str, ...]:
        """The primary's models."""
        return self._primary.models

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """The primary's answer, or else the fallback's."""
        return await self._first(lambda engine: engine.complete(request))

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """The primary's stream, or else the fallback's."""
        stream = await self._first(lambda engine: engine.stream(request))
        if stream.engine != self._primary.name:
            return stream
        chunks: Any = stream.chunks
        return CompletionStream(stream.engine, await begin(self._watched(chunks), chunks.aclose))

    async def close(self) -> None:
        """Close both engines."""
        await self._primary.close()
        await self._fallback.close()

    async def _first(self, ask: Callable[[Engine], Awaitable[T]]) -> T:
        try:
            with self.breaker.attempt():
                return await ask(self._primary)
        except FAILURES:
            return await ask(self._fallback)

    async def _watched(self, chunks: AsyncIterator[Json]) -> AsyncIterator[Json]:
        """A stream that breaks off is a failure too, though nobody can take over."""
        try:
            async for chunk in chunks:
                yield chunk
        except FAILURES:
            self.breaker.fail()
            raise
