"""A transcriber that hears what a tone stands for, deterministically."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import InvalidInput
from core.media import RATE, Audio, Segment, Transcript, Word

# Quieter than this nobody speaks.
_QUIET = 0.01
_WORD_SECONDS = 0.4


class FakeTranscriber:
    """Says `words` one after the other, one in every `seconds` from the first loud sample to the last one.

    So more sound gives more of the text, and silence gives none. It knows English only, and remembers what it was
    asked in `asked`. `failure` is raised instead.
    """

    def __init__(self, words: Sequence[str] = ("Where", "is", "my", "order?"), seconds: float = _WORD_SECONDS) -> None:
        self.words = tuple(words)
        self.seconds = seconds
        self.asked: list[dict[str, object]] = []
        self.failure: Exception | None = None

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        self.asked.append({"language": language, "translate": translate, "prompt": prompt, "words": words})
        if self.failure is not None:
            raise self.failure
        if language not in (None, "en"):
            raise InvalidInput("This model knows English only.", param="language")
        loud = np.flatnonzero(np.abs(audio.samples) > _QUIET)
        if not len(loud):
            return Transcript("en", audio.seconds, ())
        start, end = float(loud[0]) / RATE, float(loud[-1] + 1) / RATE
        number = max(1, min(len(self.words), int((end - start) / self.seconds)))
        width = (end - start) / number
        said = tuple(
            Word(text, start + place * width, start + (place + 1) * width, 0.9)
            for place, text in enumerate(self.words[:number])
        )
        text = " ".join(word.text for word in said)
        return Transcript("en", audio.seconds, (Segment(text, start, end, said if words else ()),))
