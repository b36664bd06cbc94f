"""Senses that hear and read what a test says: the picture's or the voice note's own bytes are the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from app.attachments import Attachments
from app.observing import Observing
from app.senses import Senses
from core.errors import MissingExtra
from core.media import RATE, Audio, Line, Picture, Reading, Segment, Transcript, Word
from core.settings import MediaSettings
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures


class ScriptedSenses:
    """A gate, a transcriber and a reader in one. Bytes are text in UTF-8; a picture's lines are its lines.

    `sounds` gives some voice notes samples of their own; the others are a second of silence.
    """

    def __init__(self, sounds: Mapping[str, Audio] | None = None) -> None:
        self._sounds = dict(sounds or {})
        self._words: dict[int, str] = {}
        self.asked: list[str] = []

    async def picture(self, content: bytes, where: str) -> Picture:
        self.asked.append(where)
        return Picture(content, "image/png", 100, 100)

    async def audio(self, content: bytes, where: str) -> Audio:
        self.asked.append(where)
        text = content.decode()
        audio = self._sounds.get(text) or Audio(np.zeros(RATE, np.float32))
        self._words[id(audio)] = text
        self._sounds[text] = audio
        return audio

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        text = self._words[id(audio)]
        said = tuple(Word(word, 0.0, 1.0, 0.9) for word in text.split())
        return Transcript("en", audio.seconds, (Segment(text, 0.0, 1.0, said),) if text else ())

    async def read(self, picture: Picture) -> Reading:
        corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (0.0, 1.0))
        return Reading(tuple(Line(line, corners, 0.95) for line in picture.content.decode().splitlines()), 100, 100)


def scripted(senses: ScriptedSenses | None = None) -> Observing:
    """The doors' observing around scripted senses."""
    acting = senses or ScriptedSenses()
    gate = cast("MediaGate", acting)
    remote = RemotePictures(MediaSettings(), gate)
    return Observing(Senses(gate, remote, acting, MissingExtra("hibari-tts", "voice"), acting), Attachments())
