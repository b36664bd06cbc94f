"""What an inspector brought along, and the statements in it: sentences and lines, each with the place it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.media import Reading, Segment, Transcript
from core.sentences import sentences
from multimodal.inspection.report import Citation, Origin

# A silence of so many seconds ends a sentence: recognisers forget full stops, and speakers seldom breathe so long.
_PAUSE = 1.2


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it was read. `description` is what a vision model said of it, empty where none was asked."""

    number: int
    reading: Reading
    description: str = ""
    captured: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """A spoken note as it was heard."""

    number: int
    transcript: Transcript
    captured: datetime | None = None


@dataclass(frozen=True, slots=True)
class TypedNote:
    """A note that somebody typed."""

    number: int
    text: str
    captured: datetime | None = None


Evidence = Photo | VoiceNote | TypedNote


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a note, or a line or a sentence of a photo. `citation.quote` is its text, word for word."""

    citation: Citation
    confidence: float = 1.0

    @property
    def text(self) -> str:
        """What it says."""
        return self.citation.quote

    @property
    def said(self) -> bool:
        """Whether the inspector said or typed it; what a photo shows is anybody's word."""
        return self.citation.origin in (Origin.VOICE, Origin.TEXT)


def statements(evidence: Evidence) -> list[Statement]:
    """Everything that the piece of evidence says, in order."""
    if isinstance(evidence, Photo):
        return list(_of_photo(evidence))
    if isinstance(evidence, VoiceNote):
        return list(_of_voice(evidence))
    return [
        Statement(Citation(Origin.TEXT, evidence.number, evidence.text[start:end]))
        for start, end in sentences(evidence.text)
    ]


def _of_photo(photo: Photo) -> Iterator[Statement]:
    for number, line in enumerate(photo.reading.lines, start=1):
        if text := " ".join(line.text.split()):
            yield Statement(Citation(Origin.PHOTO, photo.number, text, line=number), line.confidence)
    for start, end in sentences(photo.description):
        yield Statement(Citation(Origin.DESCRIPTION, photo.number, photo.description[start:end]))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the transcript's text, and when it was said."""

    start: int
    end: int
    begins: float
    ends: float


def _of_voice(note: VoiceNote) -> Iterator[Statement]:
    text, pieces = _timed(note.transcript.segments)
    for start, end in sentences(text):
        inside = [each for each in pieces if each.start < end and each.end > start]
        for group in _parted(inside):
            first, last = max(start, group[0].start), min(end, group[-1].end)
            begins, ends = round(group[0].begins, 2), round(group[-1].ends, 2)
            yield Statement(Citation(Origin.VOICE, note.number, text[first:last], start=begins, end=ends))


def _timed(segments: Sequence[Segment]) -> tuple[str, list[_Piece]]:
    """The transcript on one line, and the place of each word; of each segment where no words are known."""
    text = ""
    pieces = []
    for segment in segments:
        timed = [(word.text, word.start, word.end) for word in segment.words]
        # Some recognisers say where a word goes on without a space by leaving out the space before it.
        spaced = any(said.startswith(" ") for said, _, _ in timed)
        for position, (said, begins, ends) in enumerate(timed or [(segment.text, segment.start, segment.end)]):
            apart = position == 0 or not spaced or said.startswith(" ")
            text += " " if text and apart else ""
            pieces.append(_Piece(len(text), len(text) + len(said.strip()), begins, ends))
            text += said.strip()
    return text, pieces


def _parted(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        if group and piece.begins - group[-1].ends >= _PAUSE:
            yield group
            group = []
        group.append(piece)
    if group:
        yield group
