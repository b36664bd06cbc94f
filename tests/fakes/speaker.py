"""A voice that hums: each sentence is a tone as long as the sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from multimodal.speak.limits import chosen
from multimodal.speak.wording import spoken


class HummingSpeaker:
    """Says a sentence in 10 ms a character at speed 1, and tells what it said.

    `gate`, where there is one, is waited for before each sentence; `failure` is raised instead of one.
    """

    voices = ("hum", "drone")
    rate = 24_000

    def __init__(self) -> None:
        self.said: list[str] = []
        self.gate: asyncio.Semaphore | None = None
        self.failure: Exception | None = None

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> AsyncIterator[bytes]:
        return self._hum(text, 440 if chosen(self.voices, voice, speed) == "hum" else 110, speed)

    async def _hum(self, text: str, pitch: int, speed: float) -> AsyncIterator[bytes]:
        for sentence in spoken(text):
            if self.gate is not None:
                await self.gate.acquire()
            if self.failure is not None:
                raise self.failure
            self.said.append(sentence)
            at = np.arange(int(self.rate * 0.01 * len(sentence) / speed)) / self.rate
            yield (np.sin(2 * np.pi * pitch * at) * 8000).astype("<i2").tobytes()
