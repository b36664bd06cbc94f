"""What a realtime session is connected to: handed in, so that a session can be tried without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.api.realtime.config import ServerVad
from app.api.realtime.ear import Detector
from core.errors import MissingExtra
from core.ports import Speaker, Transcriber
from core.settings import RealtimeSettings
from core.types import Answer, Principal, Turn, TurnEvent


class Agent(Protocol):
    """Who answers. `app.assistant.Assistant` is one."""

    def stream(self, turn: Turn) -> AsyncIterator[TurnEvent]:
        """Answer the turn in pieces, the `Answer` last."""

    async def heard(self, principal: Principal, thread_id: str, said: str, heard: str) -> bool:
        """Remember that of what was said only this was heard."""


@dataclass(frozen=True, slots=True)
class Line:
    """The agent, the senses, and the limits of one caller.

    `admit` counts a response against the caller's rate and quota, and raises `RateLimited`; `book` books what an
    answer used. `detector` makes a detector of speech. `recognisers` are the names of the model that listens.
    """

    principal: Principal
    agent: Agent
    hearing: Transcriber | MissingExtra
    speaking: Speaker | MissingExtra
    detector: Callable[[ServerVad], Detector]
    recognisers: Sequence[str]
    limits: RealtimeSettings
    characters: int
    admit: Callable[[], Awaitable[object]]
    book: Callable[[Answer], Awaitable[None]]
