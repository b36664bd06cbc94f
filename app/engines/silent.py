"""An engine that says nothing, for where the documents' own words are better than a small model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engines.protocol import Completion, CompletionStream
from core.errors import EngineUnavailable


class SilentEngine:
    """Serves no model and raises `EngineUnavailable`, upon which the agents quote their passages."""

    name = "silent"
    models = ()

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Say nothing."""
        raise EngineUnavailable("nothing is written here: the documents speak for themselves")

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Say nothing."""
        raise EngineUnavailable("nothing is written here: the documents speak for themselves")

    async def close(self) -> None:
        """Nothing is held."""
