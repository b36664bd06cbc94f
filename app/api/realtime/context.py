"""What the parts of a realtime session share."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from app.api.realtime.config import AudioConfig, AudioOutput, SessionConfig
from app.api.realtime.conversation import Conversation
from app.api.realtime.events import Json, new_id
from app.api.realtime.line import Line
from core.errors import MissingExtra, TooLarge
from core.ports import Speaker, Transcriber
from multimodal.resample import SENT

Send = Callable[[Json], Awaitable[None]]
Job = Callable[[], Awaitable[None]]
Sense = TypeVar("Sense")


@dataclass
class Context:
    """The caller's line, the thread, the configuration in force, the conversation, and the work that waits.

    `fresh` says that nobody can know the thread yet. `jobs` are done in order: what is asked is transcribed before it
    is answered.
    """

    line: Line
    send: Send
    thread_id: str = ""
    fresh: bool = False
    config: SessionConfig = field(init=False)
    conversation: Conversation = field(default_factory=Conversation)
    jobs: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)
    _seconds: float = 0.0

    def __post_init__(self) -> None:
        """Begin a thread where none is named, and speak where there is a voice."""
        if not self.thread_id:
            self.thread_id, self.fresh = str(uuid.uuid4()), True
        self.config = SessionConfig(
            output_modalities=["audio"] if self.voices else ["text"],
            audio=AudioConfig(output=AudioOutput(voice=self.voices[0] if self.voices else None)),
        )

    @property
    def voices(self) -> list[str]:
        """The voices there are, the default first."""
        speaking = self.line.speaking
        return [] if isinstance(speaking, MissingExtra) else list(speaking.voices)

    @property
    def hears(self) -> bool:
        """Whether there is somebody who listens."""
        return not isinstance(self.line.hearing, MissingExtra)

    @property
    def transcriber(self) -> Transcriber:
        """Who listens. Raises `MissingExtra`."""
        return _there(self.line.hearing)

    def speaker(self, config: SessionConfig) -> Speaker | None:
        """Who speaks, where it is spoken. Raises `MissingExtra`."""
        return _there(self.line.speaking) if config.spoken else None

    async def emit(self, event: Json) -> None:
        """Send an event, with an id of its own."""
        await self.send({"event_id": new_id("event"), **event})

    def count(self, pcm: bytes, param: str) -> None:
        """Count the sound that a client sends. Raises `TooLarge` when that was enough for one session."""
        seconds = self._seconds + len(pcm) / 2 / SENT
        if seconds > self.line.limits.audio_seconds:
            raise TooLarge(f"A session hears {self.line.limits.audio_seconds:g} seconds at most.", param=param)
        self._seconds = seconds


def _there(sense: Sense | MissingExtra) -> Sense:
    if isinstance(sense, MissingExtra):
        # A new one each time: an error that is raised twice would grow its traceback.
        raise MissingExtra(sense.package, sense.extra)
    return sense
