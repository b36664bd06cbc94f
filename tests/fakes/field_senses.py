"""Eyes and ears for field reports that read and hear what a test says, around the real media gate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from app.senses import Senses
from core.errors import MissingExtra
from core.media import Audio, Line, Picture, Reading, Segment, Transcript, Word
from core.settings import MediaSettings
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures

PACE = 0.4  # seconds a word


@dataclass
class ScriptedReader:
    """Reads in a picture what the test says for a picture of its size; `failure` is raised instead."""

    lines: dict[tuple[int, int], Sequence[str]] = field(default_factory=dict)
    failure: BaseException | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reads: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def read(self, picture: Picture) -> Reading:
        self.reads += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return reading(*self.lines.get((picture.width, picture.height), ()), size=(picture.width, picture.height))


@dataclass
class ScriptedTranscriber:
    """Hears what the test says for sound of so many whole seconds; in silence nothing."""

    said: dict[int, str] = field(default_factory=dict)

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        silent = not np.any(np.abs(audio.samples) > 0.001)
        return transcript("" if silent else self.said.get(round(audio.seconds), ""), seconds=audio.seconds)


def reading(*lines: str, size: tuple[int, int] = (640, 480), confidence: float = 0.98) -> Reading:
    """A reading of these lines, one below the other."""
    made = []
    for number, text in enumerate(lines):
        top, bottom = 40.0 * number, 40.0 * number + 30
        made.append(Line(text, ((10, top), (200, top), (200, bottom), (10, bottom)), confidence))
    return Reading(tuple(made), *size)


def transcript(
    text: str, *, pace: float = PACE, pauses: dict[int, float] | None = None, seconds: float = 0
) -> Transcript:
    """A transcript of evenly spoken words; `pauses` are seconds of silence before the word of that number."""
    words = []
    at = 0.0
    for number, word in enumerate(text.split()):
        at += (pauses or {}).get(number, 0.0)
        words.append(Word(f" {word}", round(at, 2), round(at + 0.75 * pace, 2), 0.9))
        at += pace
    segments = (Segment(f" {text}", 0.0, words[-1].end, tuple(words)),) if words else ()
    return Transcript("en", max(seconds, at), segments)


@dataclass
class FieldSenses:
    """The senses that a gateway of fakes has for field reports."""

    reader: ScriptedReader = field(default_factory=ScriptedReader)
    transcriber: ScriptedTranscriber = field(default_factory=ScriptedTranscriber)

    def senses(self, settings: MediaSettings) -> Senses:
        gate = MediaGate(settings)
        missing = MissingExtra("hibari-tts", "voice")
        return Senses(gate, RemotePictures(settings, gate), self.transcriber, missing, self.reader)
