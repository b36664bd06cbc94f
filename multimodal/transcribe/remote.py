"""The ears of an API that speaks OpenAI's protocol, through OpenAI's own client."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import openai
from openai.types.audio import TranscriptionVerbose, TranslationVerbose

from core.errors import EngineUnavailable, InvalidInput
from core.media import RATE, Audio, Segment, Transcript, Word
from core.settings import SpeechSettings
from multimodal.failures import translated
from multimodal.transcribe.languages import NAMES, code_of

_SECONDS = 120.0


class RemoteTranscriber:
    """Whoever listens behind `settings.url`. Tries once."""

    def __init__(self, settings: SpeechSettings, *, seconds: float = _SECONDS) -> None:
        """`seconds` without a byte are a time-out."""
        if settings.url is None:
            raise ValueError("a remote transcriber needs settings.url")
        self._model = settings.remote_model
        key = settings.api_key.get_secret_value() if settings.api_key else "none"
        self._client = openai.AsyncOpenAI(base_url=str(settings.url), api_key=key, timeout=seconds, max_retries=0)

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        """As the port says. A translation has no words with places: the protocol does not offer them."""
        if language is not None and language not in NAMES:
            raise InvalidInput(
                f"There is no language {language!r}; it is named by its ISO 639-1 code.", param="language"
            )
        if not np.any(audio.samples):
            # Nobody spoke, and an API refuses what has no length.
            return Transcript(language or "en", audio.seconds, ())
        file = ("speech.wav", _wav(audio), "audio/wav")
        with translated("the transcriber"):
            if translate:
                # The client has this for OpenAI itself as deprecated, and warns; other APIs go on serving it.
                answer: Any = await self._client.post(
                    "/audio/translations",
                    cast_to=TranslationVerbose,
                    body={"model": self._model, "prompt": prompt, "response_format": "verbose_json"},
                    files=[("file", file)],
                    options={"headers": {"content-type": "multipart/form-data"}},
                )
            else:
                wanted: list[Literal["word", "segment"]] = ["segment", "word"] if words else ["segment"]
                answer = await self._client.audio.transcriptions.create(
                    file=file,
                    model=self._model,
                    language=language or openai.omit,
                    prompt=prompt or openai.omit,
                    response_format="verbose_json",
                    timestamp_granularities=wanted,
                )
        return _transcript(answer, audio.seconds)

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()


def _transcript(answer: Any, seconds: float) -> Transcript:
    """The answer as ours. Raises `EngineUnavailable` for one that is no transcript."""
    # The client hands on what is no JSON as a plain string, and lets fields be absent.
    if not isinstance(getattr(answer, "text", None), str) or not isinstance(getattr(answer, "language", None), str):
        raise EngineUnavailable("the transcriber answered with something that is no transcript")
    heard = answer.words if isinstance(answer, TranscriptionVerbose) and answer.words else []
    segments: list[Segment] = []
    low = 0.0
    for each in answer.segments or []:
        if not each.text.strip():
            continue
        start = min(max(each.start, low), seconds)
        low = end = min(max(each.end, start), seconds)
        last = each is answer.segments[-1]
        mine = [word for word in heard if each.start <= (word.start + word.end) / 2 < (each.end if not last else 1e9)]
        segments.append(
            Segment(
                text=each.text.strip(),
                start=start,
                end=end,
                words=tuple(_words(mine, start, end, np.exp(each.avg_logprob))),
                tokens=tuple(each.tokens),
                temperature=each.temperature,
                logprob=each.avg_logprob,
                compression=each.compression_ratio,
                no_speech=each.no_speech_prob,
            )
        )
    if not segments and answer.text.strip():
        segments = [Segment(answer.text.strip(), 0.0, seconds, tuple(_words(heard, 0.0, seconds, 1.0)))]
    return Transcript(code_of(answer.language), seconds, tuple(segments))


def _words(heard: Sequence[Any], low: float, high: float, probability: float) -> Iterator[Word]:
    """The words within their segment. The protocol has no probability of a word: it is the segment's mean."""
    for each in heard:
        start = min(max(each.start, low), high)
        low = end = min(max(each.end, start), high)
        yield Word(each.word.strip(), start, end, float(min(1.0, probability)))


def _wav(audio: Audio) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(audio.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return written.getvalue()
