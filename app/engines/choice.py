"""Chooses the engines that the settings ask for, and puts them together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from app.engines.breaker import CircuitBreaker
from app.engines.embedded import EmbeddedEngine
from app.engines.fallback import FallbackEngine
from app.engines.grammar_tools import GrammarEngine
from app.engines.house import housed
from app.engines.null import NullEngine
from app.engines.protocol import Engine
from core.modelstore import ModelStore
from core.settings import Settings


async def open_engine(
    settings: Settings, store: ModelStore, stack: AsyncExitStack
) -> tuple[Engine, Mapping[str, Engine]]:
    """Return the engine that the agents speak through, and every model name with the engine that serves it.

    The engines are closed with the stack. Raises what `ModelStore.path` raises.
    """
    if settings.null_engine:
        null = NullEngine()
        return null, dict.fromkeys(null.models, null)
    path = await asyncio.to_thread(store.path, settings.embedded.model)
    embedded = await asyncio.to_thread(EmbeddedEngine, housed(settings.embedded), path)
    stack.push_async_callback(embedded.close)
    served: dict[str, Engine] = dict.fromkeys(embedded.models, embedded)
    if settings.engine.url is None:
        return embedded, served
    # The official client takes a second to import, so only those who use another engine wait for it.
    from app.engines.openai import OpenAIEngine

    speaker = OpenAIEngine(settings.engine)
    stack.push_async_callback(speaker.close)
    primary: Engine = GrammarEngine(speaker) if settings.engine.grammar_tools else speaker
    breaker = CircuitBreaker(settings.engine.breaker_failures, settings.engine.breaker_seconds)
    engine = FallbackEngine(primary, embedded, breaker)
    return engine, {**dict.fromkeys(primary.models, engine), **served}
