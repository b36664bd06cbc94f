"""POST /v1/audio/transcriptions and /v1/audio/translations: what is said in a recording."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.api.json import Json
from app.auth import Anyone
from app.errors import responses
from app.sse import EventStream
from core.errors import InvalidInput, NotFound, UnsupportedParameter
from core.media import Audio, Segment, Transcript
from core.settings import Settings, SpeechSettings
from core.types import Usage
from multimodal.transcribe.captions import srt, vtt
from multimodal.transcribe.cutting import pieces
from multimodal.transcribe.languages import name_of

if TYPE_CHECKING:
    from app.accounts import Accounts
    from app.senses import Senses

WHISPER = "whisper-1"
"""OpenAI's name for its Whisper, which means ours here."""

# Of a prompt the models hear its end only, a few hundred tokens.
_PROMPT_CHARACTERS = 4000
# Of what was heard in the pieces before, so much is told to the next one.
_CONTEXT_CHARACTERS = 200


class TranslationForm(BaseModel):
    """A recording to be written down in English. With an English-only model it has to be English already."""

    model_config = ConfigDict(extra="forbid")

    file: UploadFile = Field(description="flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav or webm")
    model: str = Field(description=f"`{WHISPER}`, or the transcriber's own name")
    prompt: str = Field("", max_length=_PROMPT_CHARACTERS, description="text that came before, or words to expect")
    response_format: Literal["json", "text", "srt", "vtt", "verbose_json"] = "json"
    temperature: float = Field(0.0, ge=0, le=1, description="0 only: nothing is sampled")

    def check(self, settings: SpeechSettings) -> None:
        """Raise `NotFound` for a model that is not served, `UnsupportedParameter` for what is not offered."""
        own = settings.remote_model if settings.url is not None else settings.model
        if self.model not in (WHISPER, own):
            raise NotFound(
                f"There is no transcriber {self.model!r}; there is {own!r}, also called {WHISPER!r}.",
                param="model",
                code="model_not_found",
            )
        if self.temperature != 0:
            raise UnsupportedParameter("Transcripts are made without sampling: 0 only.", param="temperature")


class TranscriptionForm(TranslationForm):
    """A recording to be written down."""

    language: str | None = Field(None, pattern=r"^[a-z]{2}$", description="ISO 639-1; found out when absent")
    stream: bool = False
    granularities: list[Literal["word", "segment"]] = Field(
        default=[], alias="timestamp_granularities[]", description="for `verbose_json` only; `segment` when absent"
    )
    include: list[str] = Field(default=[], alias="include[]", description="nothing: there are no `logprobs`")
    chunking_strategy: str = Field("auto", description="`auto` only: a voice detector always cuts")

    def check(self, settings: SpeechSettings) -> None:
        """As above, and for what does not go together."""
        super().check(settings)
        if self.granularities and self.response_format != "verbose_json":
            raise InvalidInput("Only verbose_json has times.", param="timestamp_granularities[]")
        if self.include:
            raise UnsupportedParameter("Log probabilities of tokens are not offered.", param="include[]")
        if self.chunking_strategy != "auto":
            raise UnsupportedParameter("The cuts are found by the server: auto only.", param="chunking_strategy")
        if self.stream and self.response_format not in ("json", "text"):
            raise InvalidInput("A stream has text only: json or text.", param="response_format")


class TranscriptView(BaseModel):
    """What was said, and the seconds that were listened to."""

    text: str
    usage: dict[str, float | str]


class VerboseTranscriptView(TranscriptView):
    """With its places: segments, and words where they were asked for."""

    task: str
    language: str
    duration: float
    segments: list[dict[str, Any]] | None = None
    words: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A recording that was admitted, and what is wanted of it."""

    audio: Audio
    form: TranslationForm
    translate: bool = False
    language: str | None = None
    granularities: tuple[str, ...] = ()

    @property
    def words(self) -> bool:
        """Whether the words' places are needed: captions are cut at them."""
        return "word" in self.granularities or self.form.response_format in ("srt", "vtt")


def routes(senses: Senses, settings: Settings, accounts: Accounts) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/v1/audio", tags=["audio"])
    surface = _Surface(senses, settings, accounts)
    text: dict[str, Any] = {"schema": {"type": "string"}}
    kinds = {"application/json": {}, "text/plain": text, "text/vtt": text, "application/x-subrip": text}
    refused = responses(404, 409, 413, 415, 422, 501, 502, 504)

    @router.post(
        "/transcriptions",
        response_model=VerboseTranscriptView | TranscriptView,
        responses={200: {"content": {**kinds, "text/event-stream": text}}, **refused},
    )
    async def create_transcription(
        request: Request, form: Annotated[TranscriptionForm, Form(media_type="multipart/form-data")], caller: Anyone
    ) -> Response:
        """Write down what is said, as a whole or as a stream of events. Where nobody speaks the text is empty."""
        form.check(settings.speech)
        audio = await surface.admitted(form.file)
        asked = _Asked(audio, form, language=form.language, granularities=tuple(form.granularities))
        return surface.streamed(request, asked) if form.stream else await surface.whole(request, asked)

    @router.post(
        "/translations",
        response_model=VerboseTranscriptView | TranscriptView,
        responses={200: {"content": kinds}, **refused},
    )
    async def create_translation(
        request: Request, form: Annotated[TranslationForm, Form(media_type="multipart/form-data")], caller: Anyone
    ) -> Response:
        """Write down in English what is said. An English-only model takes what it hears for English."""
        form.check(settings.speech)
        return await surface.whole(request, _Asked(await surface.admitted(form.file), form, translate=True))

    return router


class _Surface:
    """Listens, answers in the format that was asked for, and books."""

    def __init__(self, senses: Senses, settings: Settings, accounts: Accounts) -> None:
        self._senses = senses
        self._accounts = accounts
        self._bytes = settings.media.audio_bytes
        self._engine = "remote" if settings.speech.url is not None else "whisper"

    async def admitted(self, file: UploadFile) -> Audio:
        """The upload through the media gate, which refuses one byte too many."""
        return await self._senses.gate.audio(await file.read(self._bytes + 1), "file")

    async def whole(self, request: Request, asked: _Asked) -> Response:
        """The transcript in one answer."""
        heard = await self._senses.transcriber.transcribe(
            asked.audio,
            language=asked.language,
            translate=asked.translate,
            prompt=asked.form.prompt,
            words=asked.words,
        )
        await self._book(request, asked, heard.segments)
        return _answer(asked, heard)

    def streamed(self, request: Request, asked: _Asked) -> Response:
        """The transcript, segment by segment. What is missing for it is told before the stream begins."""
        listen = partial(self._senses.transcriber.transcribe, language=asked.language)
        return EventStream(self._events(request, asked, listen), {})

    async def _events(self, request: Request, asked: _Asked, listen: Any) -> AsyncIterator[Mapping[str, Any]]:
        said = ""
        segments: list[Segment] = []
        for _, audio in pieces(asked.audio):
            heard: Transcript = await listen(audio, prompt=f"{asked.form.prompt} {said[-_CONTEXT_CHARACTERS:]}".strip())
            for segment in heard.segments:
                delta = f" {segment.text}" if said else segment.text
                said += delta
                yield {"type": "transcript.text.delta", "delta": delta}
            segments += heard.segments
        usage = await self._book(request, asked, segments)
        counted = {"type": "tokens", "input_tokens": 0, "output_tokens": usage.completion_tokens}
        yield {
            "type": "transcript.text.done",
            "text": said,
            "usage": {**counted, "total_tokens": usage.completion_tokens},
        }

    async def _book(self, request: Request, asked: _Asked, segments: Any) -> Usage:
        usage = Usage(completion_tokens=sum(len(segment.tokens) for segment in segments))
        await self._accounts.book(request, asked.form.model, self._engine, usage)
        return usage


def _answer(asked: _Asked, heard: Transcript) -> Response:
    match asked.form.response_format:
        case "text":
            return PlainTextResponse(f"{heard.text}\n")
        case "srt":
            return Response(srt(heard), media_type="application/x-subrip; charset=utf-8")
        case "vtt":
            return Response(vtt(heard), media_type="text/vtt")
    brief = {"text": heard.text, "usage": {"type": "duration", "seconds": math.ceil(heard.seconds)}}
    return Json(brief if asked.form.response_format == "json" else brief | _verbose(asked, heard))


def _verbose(asked: _Asked, heard: Transcript) -> dict[str, Any]:
    made: dict[str, Any] = {
        "task": "translate" if asked.translate else "transcribe",
        "language": "english" if asked.translate else name_of(heard.language),
        "duration": heard.seconds,
    }
    if "segment" in asked.granularities or not asked.granularities:
        made["segments"] = [_segment(number, each) for number, each in enumerate(heard.segments)]
    if "word" in asked.granularities:
        made["words"] = [
            {"word": word.text, "start": word.start, "end": word.end}
            for segment in heard.segments
            for word in segment.words
        ]
    return made


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        # Where the window of the model began, in frames of 10 ms: here each segment's own place.
        "seek": round(segment.start * 100),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.logprob,
        "compression_ratio": segment.compression,
        "no_speech_prob": segment.no_speech,
    }
