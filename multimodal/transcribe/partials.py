"""A transcript that grows while somebody speaks, and never takes a word back.

LocalAgreement-2 (D. Macháček, R. Dabre, O. Bojar, "Turning Whisper into Real-Time Transcription System", 2023): what
two hypotheses in a row begin with is committed, and what was listened to up to the end of a sentence is not listened
to again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from core.media import RATE, Audio, Segment, Transcript, Word
from core.ports import Transcriber

# New sound that is worth another hypothesis, in seconds.
STEP = 1.0
# Of more sound than this the older half is let go, be the sentence finished or not: a model hears 30 s at most.
LONGEST = 20.0
# What stays of a silence: the beginning of a word may lie in it.
KEPT_SILENCE = 1.0
# Committed text that the model is told came before.
_PROMPT_CHARACTERS = 200
# Words that a hypothesis may repeat of what is committed, where the times of the words are off.
_OVERLAP = 5
# How far the time of a word may be off.
_SLACK = 0.1
_SENTENCE_END = re.compile(r"[.?!][\"')\]]*$")


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known so far. `committed` only ever grows at its end; `tentative` is the guess at what follows."""

    committed: str
    tentative: str

    @property
    def text(self) -> str:
        """Both on one line."""
        return f"{self.committed} {self.tentative}".strip()


class Listening:
    """One utterance, or several, from one stream of sound.

    `feed` it pieces of any size, in order, one call at a time, and `finish` once. Each call may take as long as the
    transcriber does for the sound since the last sentence: whoever gets sound meanwhile keeps it, and feeds it joined.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        *,
        language: str | None = None,
        prompt: str = "",
        step: float = STEP,
    ) -> None:
        """`language` and `prompt` are the transcriber's; `step` is the seconds of sound between two hypotheses."""
        self._transcriber = transcriber
        self._language = language
        self._prompt = prompt
        self._step = step
        self._samples = np.zeros(0, np.float32)
        self._offset = 0.0  # where `_samples` begins, in seconds of the stream
        self._fresh = 0.0  # seconds that no hypothesis has heard
        self._spoken = ""  # the language, as the transcriber tells it
        self._committed: list[Word] = []
        self._before = 0  # how many of them lie before `_samples`
        self._guess: list[Word] = []

    @property
    def partial(self) -> Partial:
        """What is known so far."""
        return Partial(_text(self._committed), _text(self._guess))

    async def feed(self, audio: Audio) -> Partial:
        """Take the next sound, and listen to it once there is enough. Errors are the transcriber's."""
        self._take(audio)
        if self._fresh >= self._step:
            await self._listen()
        return self.partial

    async def finish(self, audio: Audio | None = None) -> Transcript:
        """Take the last sound, if there is any, and return everything. Its text begins with what was committed.

        One sentence is one segment, with its words. Nothing is fed afterwards.
        """
        if audio is not None:
            self._take(audio)
        seconds = self._offset + len(self._samples) / RATE
        if self._fresh > 0:
            self._guess = await self._hypothesis()
            self._fresh = 0.0
        self._committed += self._guess
        self._guess = []
        return Transcript(self._spoken or self._language or "en", seconds, _sentences(self._committed))

    def _take(self, audio: Audio) -> None:
        self._samples = np.concatenate([self._samples, audio.samples])
        self._fresh += audio.seconds

    async def _listen(self) -> None:
        guess = await self._hypothesis()
        self._fresh = 0.0
        agreed = _agreement(self._guess, guess)
        self._committed += guess[:agreed]
        self._guess = guess[agreed:]
        self._trim()

    async def _hypothesis(self) -> list[Word]:
        """What the sound that is kept says behind the committed words; times are those of the stream."""
        before = _text(self._committed[: self._before])[-_PROMPT_CHARACTERS:]
        heard = await self._transcriber.transcribe(
            Audio(self._samples),
            language=self._language,
            prompt=f"{self._prompt} {before}".strip(),
            words=True,
        )
        self._spoken = heard.language
        words = [
            replace(word, text=word.text.strip(), start=word.start + self._offset, end=word.end + self._offset)
            for segment in heard.segments
            for word in segment.words
            if word.text.strip()
        ]
        if not self._committed:
            return words
        end = self._committed[-1].end
        words = [word for word in words if word.end > end + _SLACK]
        return words[_repeated(self._committed, words) :]

    def _trim(self) -> None:
        """Let go of the sound of finished sentences, of silence, and of whatever is too long."""
        kept = len(self._samples) / RATE
        if not self._guess and len(self._committed) == self._before:
            self._cut(self._offset + kept - KEPT_SILENCE)
            return
        ends = [word.end for word in self._committed[self._before :] if _SENTENCE_END.search(word.text)]
        if ends:
            self._cut(ends[-1])
        elif kept > LONGEST:
            # Without an agreement in so long there is none to wait for: the guess at the older half stands.
            at = self._offset + kept - LONGEST / 2
            older = sum(1 for _ in takewhile(lambda word: word.end <= at, self._guess))
            self._committed += self._guess[:older]
            self._guess = self._guess[older:]
            self._cut(at)

    def _cut(self, at: float) -> None:
        samples = min(max(0, round((at - self._offset) * RATE)), len(self._samples))
        self._samples = self._samples[samples:]
        self._offset += samples / RATE
        self._before = len(self._committed)


def _agreement(earlier: Sequence[Word], later: Sequence[Word]) -> int:
    """How many words both begin with."""
    number = 0
    for one, other in zip(earlier, later, strict=False):
        if _plain(one.text) != _plain(other.text):
            break
        number += 1
    return number


def _repeated(committed: Sequence[Word], words: Sequence[Word]) -> int:
    """How many of the first words are the last committed ones over again."""
    for number in range(min(_OVERLAP, len(committed), len(words)), 0, -1):
        last = [_plain(word.text) for word in committed[-number:]]
        # A word that really is said twice lies well behind its first time.
        near = words[0].start - committed[-1].end < _SLACK
        if near and last == [_plain(word.text) for word in words[:number]]:
            return number
    return 0


def _plain(text: str) -> str:
    """A word without case and punctuation, which change from one hypothesis to the next."""
    return re.sub(r"[^\w]+", "", text).casefold() or text


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)


def _sentences(words: Sequence[Word]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    begun: list[Word] = []
    for number, word in enumerate(words, start=1):
        begun.append(word)
        if _SENTENCE_END.search(word.text) or number == len(words):
            likely = sum(math.log(max(each.probability, 1e-6)) for each in begun) / len(begun)
            segments.append(Segment(_text(begun), begun[0].start, begun[-1].end, tuple(begun), logprob=likely))
            begun = []
    return tuple(segments)
