"""A registered version as an engine, which is closed when it is no longer wanted and nobody listens to it any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from app.engines.chunks import begin
from app.engines.protocol import Completion, CompletionStream, Engine
from core.versions import Version

OpenVariant = Callable[[Version, Mapping[str, Path]], Awaitable[Engine]]
"""Makes an engine of a version and its verified files. Raises a `WaysideError` when it cannot."""


class Variant:
    """The engine of one version. It goes by the version's name, `house-adapter@3`, in answers and in metrics."""

    def __init__(self, version: Version, engine: Engine) -> None:
        self.version = version
        self.name = variant_name(version.model, version.number)
        self._engine = engine
        self._users = 0
        self._retired = False

    @property
    def models(self) -> tuple[str, ...]:
        """The engine's own names."""
        return self._engine.models

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """The engine's answer."""
        self._users += 1
        try:
            return Completion(self.name, (await self._engine.complete(request)).body)
        finally:
            await self._left()

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """The engine's stream."""
        self._users += 1
        try:
            chunks: Any = (await self._engine.stream(request)).chunks
        except BaseException:
            await self._left()
            raise

        async def close() -> None:
            try:
                await chunks.aclose()
            finally:
                await self._left()

        return CompletionStream(self.name, await begin(chunks, close))

    async def close(self) -> None:
        """Close the engine, at once or with the last answer that is under way."""
        if not self._retired:
            self._retired = True
            if not self._users:
                await self._engine.close()

    async def _left(self) -> None:
        self._users -= 1
        if self._retired and not self._users:
            await self._engine.close()


def variant_name(model: str, number: int) -> str:
    """What the engine of a version is called."""
    return f"{model}@{number}"
