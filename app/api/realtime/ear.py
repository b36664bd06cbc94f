"""What a session has heard: sound in pieces, cut into messages by a voice detector or by the client."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.errors import InvalidInput, TooLarge
from core.media import RATE, Audio
from multimodal.resample import SENT, Downsampler

if TYPE_CHECKING:
    from core.types import Vector

# Before anybody speaks so much is kept: the longest padding, and what the detector takes to be sure.
_KEPT = 3 * RATE


class Edge(Protocol):
    """Where speech began or ended, in samples since the first: `edge` is `started` or `stopped`."""

    @property
    def edge(self) -> str:
        """Which of the two."""

    @property
    def at(self) -> int:
        """The sample, with the padding before a start."""


class Detector(Protocol):
    """Finds the edges of speech in one stream of sound."""

    def feed(self, audio: Audio) -> Sequence[Edge]:
        """The edges that this piece brings, in order."""


def pcm_of(encoded: str, param: str) -> bytes:
    """The samples in an event. Raises `InvalidInput` for what is no base64 of whole samples."""
    try:
        pcm = base64.b64decode(encoded, validate=True)
    except binascii.Error as problem:
        raise InvalidInput("The sound is not base64.", param=param) from problem
    if len(pcm) % 2:
        raise InvalidInput("The sound ends within a sample: samples have two bytes.", param=param)
    return pcm


class Ear:
    """The sound since the last message. `heard` counts all samples of the session, at `RATE`.

    Without a detector everything is kept until the client says that it is a message; with one, only what is spoken.
    """

    def __init__(self, seconds: float) -> None:
        """`seconds` is the longest message."""
        self._most = int(seconds * RATE)
        self._resampler = Downsampler()
        self._kept: Vector = np.zeros(0, np.float32)
        self._base = 0
        self.detector: Detector | None = None
        self.origin = 0
        self.start: int | None = None

    @property
    def heard(self) -> int:
        """Samples since the session began."""
        return self._base + len(self._kept)

    def detect(self, detector: Detector | None) -> None:
        """Listen with this detector from now on; what it says is counted from here."""
        self.detector, self.origin, self.start = detector, self.heard, None

    def feed(self, pcm: bytes) -> list[Edge]:
        """Take the next sound, and find the edges in it. Takes time: not for the event loop.

        Raises `TooLarge` when a message becomes too long; nothing of this piece is kept then.
        """
        # With a detector, what is full becomes a message by itself: there has to be room until then.
        most = self._most if self.detector is None else self._most + 2 * _KEPT
        if len(self._kept) + len(pcm) // 2 * RATE // SENT > most:
            raise TooLarge(f"A message lasts {self._most // RATE} seconds at most.", param="audio")
        samples = self._resampler.feed(pcm)
        self._kept = np.concatenate([self._kept, samples])
        if self.detector is None:
            return []
        return list(self.detector.feed(Audio(samples)))

    def started(self, at: int) -> int:
        """Somebody speaks since `at`, as the detector counts. Returns it as the session counts."""
        self.start = max(self._base, self.origin + at)
        return self.start

    @property
    def spoken(self) -> Audio:
        """What is being said, so far."""
        return Audio(self._kept[max(0, (self.start or 0) - self._base) :])

    @property
    def full(self) -> bool:
        """Whether what is being said, as a detector says, is as long as a message may be."""
        return self.start is not None and self.heard - self.start >= self._most

    def take(self, until: int | None = None) -> Audio:
        """The message up to `until`, or all there is, which is forgotten."""
        start, end = self.start or self._base, self.heard if until is None else min(until, self.heard)
        audio = Audio(self._kept[max(0, start - self._base) : end - self._base])
        self._kept, self._base, self.start = self._kept[end - self._base :], end, None
        return audio

    def clear(self) -> None:
        """Forget what was said since the last message."""
        self._base, self._kept, self.start = self.heard, self._kept[:0], None

    def forget(self) -> None:
        """Let go of silence, where a detector says that it is one."""
        if self.detector is not None and self.start is None and len(self._kept) > _KEPT:
            self._base += len(self._kept) - _KEPT
            self._kept = self._kept[-_KEPT:]
