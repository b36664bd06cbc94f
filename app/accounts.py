"""One place that books what a request used: quota, usage table, metrics and log line."""

from __future__ import annotations

from starlette.requests import Request

from app.limits import Limits
from app.metering import Metering
from app.metrics import Metrics
from core.identity import Credential
from core.types import Principal, Usage


class Accounts:
    """Books finished model calls."""

    def __init__(self, limits: Limits, metering: Metering, metrics: Metrics) -> None:
        self._limits = limits
        self._metering = metering
        self._metrics = metrics

    async def book(self, request: Request, model: str, engine: str, usage: Usage) -> None:
        """Book one answer. `engine` is empty when none was needed."""
        state = request.scope["state"]
        speaker = engine or "none"
        state.update(
            model=model,
            engine=speaker,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )
        self._metrics.answer(model, speaker, usage)
        self._metering.record(state["credential"].principal, model, usage)
        await self._limits.spend(state["credential"], usage.prompt_tokens + usage.completion_tokens)

    async def book_run(self, principal: Principal, model: str, engine: str, usage: Usage) -> None:
        """Book one answer that a run gave, which may have outlived the request that asked for it."""
        self._metrics.answer(model, engine or "none", usage)
        self._metering.record(principal, model, usage)
        credential = Credential(principal, "", None, None)
        await self._limits.spend(credential, usage.prompt_tokens + usage.completion_tokens)

    def first_token(self, request: Request, model: str, engine: str, seconds: float) -> None:
        """Book how long a streamed answer kept its reader waiting."""
        request.scope["state"]["first_token_ms"] = round(seconds * 1000, 2)
        self._metrics.first_token(model, engine or "none", seconds)
