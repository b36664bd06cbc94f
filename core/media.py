"""The nouns of speech and pictures that cross rooms. All are frozen; none knows how it was made out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.types import Vector

RATE = 16_000
"""Samples a second of all audio that is listened to."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Sound as everything here listens to it: one channel, `RATE` samples a second, float32 in [-1, 1], shape (n,)."""

    samples: Vector

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / RATE


@dataclass(frozen=True, slots=True)
class Picture:
    """An admitted picture: upright, encoded anew (`image/png` or `image/jpeg`), without metadata; sizes in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was heard, with its place in seconds and the probability, in [0, 1], that it is right."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech, in seconds from the beginning, and what the recogniser says of it.

    `logprob` is the mean log probability of its tokens, `no_speech` the probability that nobody spoke, `compression`
    how well its text compresses (a high one is a repetition). `words` is empty where nobody asked for them.
    """

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    logprob: float = 0.0
    compression: float = 1.0
    no_speech: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in order. `language` is an ISO 639-1 code; `seconds` is how long was listened."""

    language: str
    seconds: float
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """All of it, on one line; empty when nobody spoke."""
        return " ".join(segment.text.strip() for segment in self.segments).strip()


Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture: its four corners in pixels (x, y), clockwise from the first letter's upper one.

    `confidence` is the recogniser's, in [0, 1].
    """

    text: str
    corners: Corners
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a picture, line by line in the order in which a person reads it; sizes in pixels."""

    lines: tuple[Line, ...]
    width: int
    height: int

    @property
    def text(self) -> str:
        """The lines, each on its own."""
        return "\n".join(line.text for line in self.lines)


class SoundFormat(StrEnum):
    """How spoken answers leave: as a file of this kind, or (`pcm`) as bare signed 16-bit little-endian samples."""

    MP3 = "mp3"
    OPUS = "opus"
    AAC = "aac"
    FLAC = "flac"
    WAV = "wav"
    PCM = "pcm"


class Mood(StrEnum):
    """How somebody sounds."""

    CALM = "calm"
    TENSE = "tense"


@dataclass(frozen=True, slots=True)
class Tone:
    """How a message was spoken, from its sound alone.

    `confidence`, in [0.5, 1], is the probability of `mood`. `loudness` is in dB below full scale, `pitch` the median
    in Hz and `spread` its spread in semitones (both None where no voice is heard), `rate` in syllables a second of
    speech, `pauses` the share of the time without speech.
    """

    mood: Mood
    confidence: float
    loudness: float
    pitch: float | None
    spread: float | None
    rate: float
    pauses: float


@dataclass(frozen=True, slots=True)
class Field:
    """A value that was found in a picture, such as a receipt's total, and the line that it stands in.

    `confidence`, in [0, 1], joins the recogniser's and what the checks said; `line` counts the reading's lines from 0.
    """

    name: str
    value: str
    confidence: float
    line: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A voice note that came with a message: its words, how sure they are (in [0, 1]), how long it is, its tone.

    `where` is the place of its bytes in the request. `tone` is None where too little is said to tell.
    """

    where: str
    text: str
    confidence: float
    seconds: float
    tone: Tone | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture that came with a message: the attachment that holds its text, how sure that is, and what stands out.

    `text` is how the reading begins, and empty where nothing could be read. `facts` are values such as an error code.
    """

    where: str
    attachment: str
    name: str
    text: str
    confidence: float
    facts: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was made out in the media of one message, each with the part it came from."""

    heard: tuple[Heard, ...] = ()
    seen: tuple[Seen, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.heard or self.seen)

    @property
    def tone(self) -> Tone | None:
        """The tone of the voice note that tells most surely, if any does."""
        tones = [each.tone for each in self.heard if each.tone is not None]
        return max(tones, key=lambda tone: tone.confidence, default=None)


NOTHING = Observed()
"""What is made out in a message that came with no media."""
