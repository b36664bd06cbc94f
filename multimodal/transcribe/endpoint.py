"""When somebody begins to speak and when they have finished, as the sound arrives.

The settings have the names, defaults and meaning of OpenAI's `server_vad`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import InvalidInput
from core.media import RATE, Audio
from multimodal.transcribe.vad import HYSTERESIS, WINDOW, VoiceDetector

_LONGEST_MS = 30_000
# One window of voice may be a click.
_WINDOWS_TO_START = 2


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """What counts as speech and as its end.

    `threshold`, in [0, 1], is how sure the detector must be of a voice. `prefix_padding_ms` is how much sound from
    before the voice belongs to what was said; `silence_duration_ms` how much silence ends it.
    """

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for what cannot be meant; `param` is the field's name."""
        if not 0 <= self.threshold <= 1:
            raise InvalidInput("The threshold lies between 0 and 1.", param="threshold")
        for name in ("prefix_padding_ms", "silence_duration_ms"):
            if not 0 <= getattr(self, name) <= _LONGEST_MS:
                raise InvalidInput(f"{name} lies between 0 and {_LONGEST_MS}.", param=name)


class Edge(StrEnum):
    """What happened."""

    STARTED = "started"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An edge of speech. `at` is in samples since the first that was fed.

    For a start it is where the recording of what is said begins, its padding included; for a stop, where it ends:
    after the silence. So `[start.at, stop.at)` is what to transcribe.
    """

    edge: Edge
    at: int

    @property
    def milliseconds(self) -> int:
        """`at`, as OpenAI's `audio_start_ms` and `audio_end_ms` say it."""
        return self.at * 1000 // RATE


class Endpointing:
    """Finds the edges in one stream of sound. Feed it pieces of any size, in order, from one task."""

    def __init__(self, detection: TurnDetection | None = None) -> None:
        self._detection = detection or TurnDetection()
        self._detector = VoiceDetector()
        self._heard = 0  # samples judged so far
        self._loud = 0  # windows of voice in a row, while nobody speaks
        self._quiet = 0  # windows of silence in a row, while somebody does
        self._speaking = False
        self._stopped = 0  # where the last stretch ended: the next one's padding does not reach behind it

    @property
    def speaking(self) -> bool:
        """Whether somebody is speaking, as far as is known yet."""
        return self._speaking

    def feed(self, audio: Audio) -> list[Endpoint]:
        """The edges that this piece brings, in order; starts and stops alternate.

        Takes about 4 % of the piece's own time, so a second of sound or more belongs into a thread.
        """
        found: list[Endpoint] = []
        for probability in self._detector.feed(audio.samples):
            self._heard += WINDOW
            edge = self._quieter(probability) if self._speaking else self._louder(probability)
            if edge is not None:
                found.append(edge)
        return found

    def _louder(self, probability: float) -> Endpoint | None:
        self._loud = self._loud + 1 if probability >= self._detection.threshold else 0
        if self._loud < _WINDOWS_TO_START:
            return None
        padding = _WINDOWS_TO_START * WINDOW + self._detection.prefix_padding_ms * RATE // 1000
        self._speaking, self._quiet, self._loud = True, 0, 0
        return Endpoint(Edge.STARTED, max(self._stopped, self._heard - padding))

    def _quieter(self, probability: float) -> Endpoint | None:
        ending = max(self._detection.threshold - HYSTERESIS, 0.01)
        self._quiet = self._quiet + 1 if probability < ending else 0
        if self._quiet == 0 or self._quiet * WINDOW * 1000 < self._detection.silence_duration_ms * RATE:
            return None
        self._speaking, self._stopped = False, self._heard
        return Endpoint(Edge.STOPPED, self._heard)
