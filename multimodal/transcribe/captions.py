"""Transcripts as subtitles: SubRip (`srt`) and WebVTT (`vtt`).

A cue has at most two lines of 42 characters, as subtitles have; a longer segment becomes several cues, at the places
of its words where they are known.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.media import Segment, Transcript

_WIDTH, _LINES = 42, 2
# A cue that ends when it begins is not valid.
_SHORTEST = 0.001


@dataclass(frozen=True, slots=True)
class _Cue:
    start: float
    end: float
    lines: Sequence[str]


def srt(transcript: Transcript) -> str:
    """SubRip; an empty text for an empty transcript."""
    return "".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n" + "\n".join(cue.lines) + "\n\n"
        for number, cue in enumerate(_cues(transcript), start=1)
    )


def vtt(transcript: Transcript) -> str:
    """WebVTT; its header alone for an empty transcript."""
    cues = (
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n" + "\n".join(map(_escaped, cue.lines)) + "\n\n"
        for cue in _cues(transcript)
    )
    return "WEBVTT\n\n" + "".join(cues)


def _cues(transcript: Transcript) -> Iterator[_Cue]:
    for segment in transcript.segments:
        lines = textwrap.wrap(segment.text, _WIDTH, break_on_hyphens=False)
        texts = [lines[first : first + _LINES] for first in range(0, len(lines), _LINES)]
        start = segment.start
        said = 0
        for number, cue in enumerate(texts, start=1):
            said += len(" ".join(cue).split())
            end = segment.end if number == len(texts) else _end(segment, said)
            end = max(end, start + _SHORTEST)
            yield _Cue(start, end, cue)
            start = end


def _end(segment: Segment, said: int) -> float:
    """When so many words of the segment have been said: as was heard, or by their share of the letters."""
    words = segment.text.split()
    if len(segment.words) == len(words):
        return segment.words[said - 1].end
    share = len(" ".join(words[:said])) / len(" ".join(words))
    return segment.start + share * (segment.end - segment.start)


def _time(seconds: float, mark: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{mark}{milliseconds:03}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
