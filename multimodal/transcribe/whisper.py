"""Whisper on CTranslate2, through faster-whisper."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from faster_whisper import WhisperModel

from core.errors import InvalidInput
from core.media import RATE, Audio, Segment, Transcript, Word
from multimodal.transcribe.vad import Span, spoken

if TYPE_CHECKING:
    from core.types import Vector

# Whisper hears 30 s at a time: stretches that fit are heard together. Its frames are 10 ms.
_TOGETHER = 29 * RATE
# Speech that lies further apart is heard apart, so that silence costs nothing and tempts nobody to invent words.
_APART = 2 * RATE
# Silence that the encoder is given behind the speech, and the least that it is given in all, in frames. For a sentence
# that takes two thirds of the time of the full 30 s. Given less than 15 s, it says things twice after a prompt.
_ROOM, _LEAST = 300, 1500
# Below both, nobody spoke: the voice detector can be fooled by music.
_NO_SPEECH, _LOGPROB = 0.6, -1.0
# A text that compresses better is a loop, and is decoded again without repeating so many tokens.
_COMPRESSION, _UNREPEATED = 2.4, 3
# Of 256 spoken values five beams got 213 word for word, one beam 200.
_BEAMS = 5
# Larger prompts leave too little room for the answer.
_PROMPT_CHARACTERS = 600


class WhisperTranscriber:
    """A Whisper model in the folder that `folder` gives (as `ModelStore.path` does), in int8 on the processor.

    It is found and loaded when it is first needed; what `folder` raises then surfaces. Decoding is a beam search
    without sampling, so equal audio gives equal transcripts. At most `at_once` transcriptions run at a time and the
    others wait. Safe to use from one event loop, which is never blocked.
    """

    def __init__(self, folder: Callable[[], Path], *, at_once: int = 1, threads: int = 0) -> None:
        """`threads` is the number of cores that one transcription uses, 0 for all."""
        self._folder = folder
        self._at_once = at_once
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(at_once, "whisper")
        self._loading = Lock()
        self._model: _Model | None = None

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        """As the port says. An English-only model takes English for both, so that a translation is a transcript."""
        work = partial(self._transcribe, audio, _Wanted(language, translate, prompt, words))
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let go of the model; what is at work ends first. Nothing is transcribed afterwards."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._model = None

    def _transcribe(self, audio: Audio, wanted: _Wanted) -> Transcript:
        model = self._loaded()
        language = _language(model, wanted.language)
        spans = _joined(spoken(audio))
        if not spans:
            return Transcript(language or "en", audio.seconds, ())
        if language is None:
            first = audio.samples[spans[0].start : spans[0].end]
            language, *_ = model.detect_language(first)
        segments: list[Segment] = []
        for span in spans:
            earlier = " ".join(segment.text for segment in segments)
            prompt = f"{wanted.prompt} {earlier}".strip()[-_PROMPT_CHARACTERS:]
            heard = _hear(model, audio.samples[span.start : span.end], language, replace(wanted, prompt=prompt))
            segments += _placed(heard, span)
        return Transcript(language, audio.seconds, tuple(segments))

    def _loaded(self) -> _Model:
        with self._loading:
            if self._model is None:
                self._model = _Model(
                    str(self._folder()),
                    device="cpu",
                    compute_type="int8",
                    cpu_threads=self._threads,
                    num_workers=self._at_once,
                )
            return self._model


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the caller asked for."""

    language: str | None
    translate: bool
    prompt: str
    words: bool


class _Model(WhisperModel):  # type: ignore[misc]  # the package has no types
    """The same model, whose encoder is not given more silence than it needs."""

    def encode(self, features: Vector) -> Any:
        """Encode one window of at most 30 s, padded with zeros."""
        filled = np.flatnonzero(np.any(features != 0, axis=-2))
        frames = int(filled[-1]) + 1 if len(filled) else 0
        wanted = max(_LEAST, frames + _ROOM)
        return super().encode(features[..., : wanted + wanted % 2])


def _language(model: _Model, asked: str | None) -> str | None:
    """The language to listen in, None to find out. Raises `InvalidInput` for one that the model does not know."""
    known = model.supported_languages
    if asked is None:
        return known[0] if len(known) == 1 else None
    if asked not in known:
        told = "English (en) only" if known == ["en"] else ", ".join(known)
        raise InvalidInput(f"This model knows {told}, not {asked!r}.", param="language")
    return asked


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The stretches of speech, joined where they are near and fit into what Whisper hears at a time."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and span.start - last.end < _APART and span.end - last.start <= _TOGETHER:
            joined[-1] = Span(last.start, span.end)
        else:
            joined.append(span)
    return joined


def _hear(model: _Model, samples: Vector, language: str, wanted: _Wanted) -> list[Any]:
    def heard(**more: int) -> list[Any]:
        segments, _ = model.transcribe(
            samples,
            language=language,
            task="translate" if wanted.translate and language != "en" else "transcribe",
            beam_size=_BEAMS,
            # One temperature: the usual fallbacks sample, and would give another transcript each time.
            temperature=0.0,
            log_prob_threshold=_LOGPROB,
            no_speech_threshold=_NO_SPEECH,
            condition_on_previous_text=False,
            initial_prompt=wanted.prompt or None,
            word_timestamps=wanted.words,
            **more,
        )
        return list(segments)

    first = heard()
    looped = any(each.compression_ratio > _COMPRESSION for each in first)
    return heard(no_repeat_ngram_size=_UNREPEATED) if looped else first


def _placed(heard: Sequence[Any], span: Span) -> Iterator[Segment]:
    """The segments of one stretch at their place in the audio: in order, apart, and within the stretch."""
    low, high = span.start / RATE, span.end / RATE
    for each in heard:
        start = min(max(each.start + span.start / RATE, low), high)
        end = min(max(each.end + span.start / RATE, start), high)
        words = tuple(_words(each.words or (), span.start / RATE, start, end))
        yield Segment(
            text=each.text.strip(),
            start=float(start),
            end=float(end),
            words=words,
            tokens=tuple(each.tokens),
            temperature=float(each.temperature or 0.0),
            logprob=float(each.avg_logprob),
            compression=float(each.compression_ratio),
            no_speech=float(each.no_speech_prob),
        )
        low = end


def _words(heard: Sequence[Any], offset: float, low: float, high: float) -> list[Word]:
    """The words at their places. What Whisper writes without a space before it, as ".1" after "5", goes on a word."""
    words: list[Word] = []
    for each in heard:
        start = min(max(each.start + offset, low), high)
        end = min(max(each.end + offset, start), high)
        text, sure = each.word.strip(), min(1.0, float(each.probability))
        if words and not each.word.startswith(" "):
            before = words.pop()
            text, start, sure = before.text + text, before.start, min(before.probability, sure)
        words.append(Word(text, float(start), float(end), sure))
        low = end
    return words
