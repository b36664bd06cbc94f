"""A caller on the line: a session around fakes, the events it sends, and the sound that a test speaks."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson

from app.api.realtime.config import ServerVad
from app.api.realtime.ear import Detector
from app.api.realtime.line import Line
from app.api.realtime.session import Session
from core.media import RATE, Audio
from core.settings import RealtimeSettings
from core.types import Answer, Principal, Role, TextDelta, Turn, TurnEvent, Usage
from tests.fakes.speaker import HummingSpeaker
from tests.fakes.transcriber import FakeTranscriber

SENT = 24_000


def sound(seconds: float, loudness: float = 0.5) -> str:
    """A tone, or silence, as a client sends it."""
    at = np.arange(int(SENT * seconds)) / SENT
    return base64.b64encode((np.sin(2 * np.pi * 300 * at) * loudness * 32767).astype("<i2").tobytes()).decode()


SILENCE = sound(0.6, 0)


@dataclass(frozen=True)
class LoudEdge:
    edge: str
    at: int


class LoudDetector:
    """Whoever is loud speaks; half a second of silence ends it. Works in steps of 100 ms."""

    def __init__(self, vad: ServerVad) -> None:
        self._vad = vad
        self._rest = np.zeros(0, np.float32)
        self._heard = self._quiet = 0
        self._speaking = False

    def feed(self, audio: Audio) -> Sequence[LoudEdge]:
        step, found = RATE // 10, []
        self._rest = np.concatenate([self._rest, audio.samples])
        while len(self._rest) >= step:
            window, self._rest = self._rest[:step], self._rest[step:]
            loud = float(np.abs(window).max()) > 0.1
            if loud and not self._speaking:
                self._speaking = True
                found.append(LoudEdge("started", max(0, self._heard - RATE * self._vad.prefix_padding_ms // 1000)))
            self._heard += step
            self._quiet = 0 if loud else self._quiet + step
            if self._speaking and self._quiet * 1000 >= self._vad.silence_duration_ms * RATE:
                self._speaking = False
                found.append(LoudEdge("stopped", self._heard))
        return found


@dataclass
class ScriptedAgent:
    """Answers each turn with the next of `answers`, sentence by sentence; `gate`, if there is one, is waited for.

    `finished` has the turns that came to their end, `left` those that nobody listened to any more, `marks` what was
    remembered as heard.
    """

    answers: list[Sequence[str] | Exception] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    gate: asyncio.Semaphore | None = None

    async def stream(self, turn: Turn) -> AsyncIterator[TurnEvent]:
        self.turns.append(turn)
        said = self.answers.pop(0) if self.answers else ("You can return a tent. ", "It takes thirty days. [1]")
        if isinstance(said, Exception):
            raise said
        try:
            for sentence in said:
                if self.gate is not None:
                    await self.gate.acquire()
                yield TextDelta(sentence)
        except (asyncio.CancelledError, GeneratorExit):
            self.left.append(turn.id)
            raise
        self.finished.append(turn.id)
        yield Answer(turn.thread_id, "".join(said), (), False, "embedded", Usage(7, 5))

    async def heard(self, principal: Principal, thread_id: str, said: str, heard: str) -> bool:
        self.marks.append((said, heard))
        return True


class Caller:
    """Sends events and collects what comes back."""

    def __init__(self, line: Line, thread_id: str | None = None) -> None:
        self.got: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self.session = Session(line, self._take, thread_id)

    async def _take(self, event: dict[str, Any]) -> None:
        # As it would arrive: later changes of an item are not seen in what was sent.
        self.got.append(orjson.loads(orjson.dumps(event)))
        self._news.set()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.session.handle(orjson.dumps({"type": kind, **fields}))

    async def update(self, **session: Any) -> None:
        await self.send("session.update", session={"type": "realtime", **session})

    async def say(self, *sounds: str) -> None:
        for each in sounds:
            await self.send("input_audio_buffer.append", audio=each)

    async def write(self, text: str, **fields: Any) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}
        await self.send("conversation.item.create", item=item)

    async def until(self, kind: str, number: int = 1) -> dict[str, Any]:
        """The event, once there are so many of its kind."""
        while len(found := self.of(kind)) < number:
            self._news.clear()
            await self._news.wait()
        return found[number - 1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.got if event["type"] == kind]

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.got]

    def pcm(self) -> bytes:
        return b"".join(base64.b64decode(event["delta"]) for event in self.of("response.output_audio.delta"))


async def _admitted() -> None:
    return


async def _booked(_answer: Answer) -> None:
    return


def make_line(**changes: Any) -> Line:
    line = Line(
        principal=Principal("key-1", "harbor", Role.CLIENT),
        agent=ScriptedAgent(),
        hearing=FakeTranscriber(),
        speaking=HummingSpeaker(),
        detector=_detector,
        recognisers=("whisper-tiny.en", "whisper-1"),
        limits=RealtimeSettings(),
        characters=1000,
        admit=_admitted,
        book=_booked,
    )
    return replace(line, **changes)


def _detector(vad: ServerVad) -> Detector:
    return LoudDetector(vad)


@asynccontextmanager
async def calling(thread_id: str | None = None, **changes: Any) -> AsyncIterator[Caller]:
    """A caller whose session runs; what breaks in it breaks the test."""
    caller = Caller(make_line(**changes), thread_id)
    await caller.session.begin()
    running = asyncio.create_task(caller.session.run())
    try:
        yield caller
    finally:
        running.cancel()
        await asyncio.wait({running})
        await caller.session.close()
    if not running.cancelled():
        running.result()
