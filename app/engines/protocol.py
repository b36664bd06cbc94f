"""What an engine is: one door for a whole answer, one for a streamed one, both in OpenAI's own JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer: the `chat.completion` object, and which engine made it."""

    engine: str
    body: Json


@dataclass(frozen=True, slots=True)
class CompletionStream:
    """A started answer: `chat.completion.chunk` objects as they come.

    The first chunk has already arrived, so an engine that cannot answer has failed before this exists.
    Closing `chunks` (`aclose`) stops the generation.
    """

    engine: str
    chunks: AsyncIterator[Json]


class Engine(Protocol):
    """Serves chat models.

    `request` is the JSON body of a chat-completion request that the gateway has validated: only fields of the
    protocol that Wayside supports, never a client's raw body. Raises `EngineUnavailable`, `EngineTimeout` or
    `EngineRejected`, and nothing else, for what goes wrong on the engine's side.
    """

    @property
    def name(self) -> str:
        """The engine's own name: `embedded`, `primary` or `null`."""

    @property
    def models(self) -> tuple[str, ...]:
        """The model names that it answers to, the default one first."""

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Answer as a whole."""

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Answer in pieces; returns once the first piece is there."""

    async def close(self) -> None:
        """Let go of connections, threads and memory."""
