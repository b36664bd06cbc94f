"""An engine that tries a challenger on live traffic, in front of the champion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Any

from app import logs
from app.engines.breaker import FAILURES
from app.engines.chunks import add_up, begin
from app.engines.protocol import Completion, CompletionStream, Engine, Json
from app.subject import subject
from app.trials.figures import Figures, Side
from app.trials.sides import meets
from app.trials.validity import agreement, fault_of
from core.errors import EngineError, EngineRejected, EngineUnavailable
from core.versions import Mode, Plan

_STREAMED = frozenset({"stream", "stream_options"})


@dataclass(slots=True, eq=False)
class Trial:
    """A challenger on trial: `minimum` answers before it is judged, `patience` seconds for each.

    `condemned` are the reasons for which it has to go, as a word and a sentence each; then it answers nobody any more.
    """

    model: str
    number: int
    plan: Plan
    since: datetime
    challenger: Engine
    minimum: int
    patience: float
    figures: Figures = field(default_factory=Figures)
    condemned: list[tuple[str, str]] = field(default_factory=list)

    def takes(self, person: str | None) -> bool:
        """Whether the challenger answers this person."""
        return self.plan.mode is Mode.CANARY and meets(person, self.model, self.number, self.plan.percent)


class TrialEngine:
    """Asks the champion: `base`, or the version that has taken its place. With a trial, the challenger as well.

    As a canary it answers its share of the people (`app.subject`); what it fails at, or answers unusably, the champion
    answers instead. A stream can fall back before its first chunk only: what was said is said. As a shadow it answers
    after the champion, unseen, at most `shadows` requests at a time; the others go without.

    After each of its answers the challenger is judged (`app.trials.figures`). One that has to go is dropped at once,
    and `condemned` hears of it.
    """

    def __init__(self, base: Engine, *, shadows: int = 1) -> None:
        self.base = base
        self.condemned: Callable[[Trial], None] = _unheard
        self._champion = base
        self._trial: Trial | None = None
        self._room = shadows
        self._shadows: set[asyncio.Task[None]] = set()

    @property
    def name(self) -> str:
        """The champion's name."""
        return self._champion.name

    @property
    def models(self) -> tuple[str, ...]:
        """The base's models: clients ask by these names whoever answers."""
        return self.base.models

    @property
    def champion(self) -> Engine:
        """Who answers."""
        return self._champion

    @property
    def trial(self) -> Trial | None:
        """The trial, while there is one."""
        return self._trial

    def serve(self, champion: Engine | None, trial: Trial | None) -> None:
        """From the next request on, these; None is the base, and no trial. Answers under way go on as they began."""
        self._champion = champion or self.base
        self._trial = trial

    def judge(self, trial: Trial) -> None:
        """Drop the challenger if its figures say so."""
        if trial is self._trial and (reasons := trial.figures.verdict(trial.minimum)):
            self._trial = None
            trial.condemned = reasons
            self.condemned(trial)

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """The champion's answer, or the challenger's."""
        trial, champion = self._trial, self._champion
        if trial is None:
            return await champion.complete(request)
        if trial.takes(subject()):
            return await self._tried(trial, request)
        began = perf_counter()
        try:
            done = await champion.complete(request)
        except FAILURES as error:
            trial.figures.answered(trial.figures.champion, perf_counter() - began, error.code)
            raise
        fault = fault_of(request, done.body)
        trial.figures.answered(trial.figures.champion, perf_counter() - began, fault)
        self._shadow(trial, request, done.body, fault)
        return done

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """The champion's stream, or the challenger's."""
        trial, champion = self._trial, self._champion
        if trial is None:
            return await champion.stream(request)
        if trial.takes(subject()):
            return await self._tried_stream(trial, request)
        began = perf_counter()
        try:
            stream = await champion.stream(request)
        except FAILURES as error:
            trial.figures.answered(trial.figures.champion, perf_counter() - began, error.code)
            raise
        return await self._watched(trial, trial.figures.champion, request, stream, perf_counter() - began)

    async def close(self) -> None:
        """End what is answered unseen. The engines belong to whoever opened them."""
        for task in self._shadows:
            task.cancel()
        await asyncio.gather(*self._shadows, return_exceptions=True)

    async def _tried(self, trial: Trial, request: Mapping[str, Any]) -> Completion:
        done, seconds, fault = await _asked(trial, request)
        if done is not None and fault is None:
            self._count(trial, seconds, None)
            return done
        # A request that the champion rejects as well was wrong itself, and says nothing about the challenger.
        try:
            answer = await self._champion.complete(request)
        except FAILURES:
            self._count(trial, seconds, fault)
            raise
        self._count(trial, seconds, fault)
        return answer

    async def _tried_stream(self, trial: Trial, request: Mapping[str, Any]) -> CompletionStream:
        began = perf_counter()
        try:
            async with asyncio.timeout(trial.patience):
                stream = await trial.challenger.stream(request)
        except Exception as error:
            fault, seconds = _told(error), perf_counter() - began
        else:
            return await self._watched(trial, trial.figures.challenger, request, stream, perf_counter() - began)
        try:
            instead = await self._champion.stream(request)
        except FAILURES:
            self._count(trial, seconds, fault)
            raise
        self._count(trial, seconds, fault)
        return instead

    async def _watched(
        self, trial: Trial, side: Side, request: Mapping[str, Any], stream: CompletionStream, seconds: float
    ) -> CompletionStream:
        """The stream, counted when it ends by itself. `seconds` is how long its first chunk took."""
        chunks: Any = stream.chunks
        return CompletionStream(
            stream.engine, await begin(self._told(trial, side, request, chunks, seconds), chunks.aclose)
        )

    async def _told(
        self, trial: Trial, side: Side, request: Mapping[str, Any], chunks: AsyncIterator[Json], seconds: float
    ) -> AsyncIterator[Json]:
        said: list[Json] = []
        ours = side is trial.figures.challenger
        try:
            async for chunk in chunks:
                said.append(chunk)
                yield chunk
        except Exception as error:
            if ours:
                self._count(trial, seconds, _told(error))
            elif isinstance(error, FAILURES):
                trial.figures.answered(side, seconds, error.code)
            if isinstance(error, EngineError):
                raise
            raise EngineUnavailable("the engine broke off") from error
        body = await _added(said)
        fault = fault_of(request, body)
        if ours:
            self._count(trial, seconds, fault)
        else:
            trial.figures.answered(side, seconds, fault)
            self._shadow(trial, request, body, fault)

    def _shadow(self, trial: Trial, request: Mapping[str, Any], answer: Json, fault: str | None) -> None:
        """Let the challenger answer as well, if it is a shadow and there is room."""
        if trial.plan.mode is not Mode.SHADOW or trial is not self._trial:
            return
        if len(self._shadows) >= self._room:
            trial.figures.skipped += 1
            return
        task = asyncio.create_task(self._compare(trial, request, answer if fault is None else None))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _compare(self, trial: Trial, request: Mapping[str, Any], answer: Json | None) -> None:
        asked = {name: value for name, value in request.items() if name not in _STREAMED}
        done, seconds, fault = await _asked(trial, asked)
        if done is not None and fault is None and answer is not None:
            trial.figures.agreed(agreement(answer, done.body))
        self._count(trial, seconds, fault)

    def _count(self, trial: Trial, seconds: float, fault: str | None) -> None:
        trial.figures.answered(trial.figures.challenger, seconds, fault)
        self.judge(trial)


async def _asked(trial: Trial, request: Mapping[str, Any]) -> tuple[Completion | None, float, str | None]:
    """The challenger's answer, how many seconds it took, and what is wrong with it, if something is."""
    began = perf_counter()
    try:
        async with asyncio.timeout(trial.patience):
            done = await trial.challenger.complete(request)
    except Exception as error:
        return None, perf_counter() - began, _told(error)
    return done, perf_counter() - began, fault_of(request, done.body)


def _told(error: Exception) -> str:
    """A failure in a word or two. Whatever a challenger raises is its own failure, and must not reach a person."""
    if isinstance(error, EngineRejected):
        return "a request rejected that the champion takes"
    if isinstance(error, EngineError):
        return error.code
    if isinstance(error, TimeoutError):
        return "no answer in time"
    logs.logger.error("the challenger raised what no engine may", **logs.describe(error))
    return type(error).__name__


async def _added(said: list[Json]) -> Json:
    async def again() -> AsyncIterator[Json]:
        for chunk in said:
            yield chunk

    try:
        return await add_up(again())
    except (KeyError, IndexError, TypeError):
        return {}


def _unheard(_trial: Trial) -> None:
    """Nobody has asked to hear of it."""
