"""POST /v1/audio/speech: text read aloud, sentence by sentence as it is spoken."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.accounts import Accounts
from app.api.json import Json, StrictJsonRoute
from app.auth import Anyone
from app.errors import body_of, responses, status_of
from app.senses import Senses, open_encoder
from app.sse import EventStream, gone
from core.errors import InvalidInput, MissingExtra, NotFound, UnsupportedParameter
from core.media import SoundFormat
from core.settings import SpeechSettings
from core.types import Usage

PACKAGED = "hibari-tts"
TTS = "tts-1"
"""OpenAI's name for its voice, which means ours here."""

LONGEST = 4096
MEDIA_TYPES: Mapping[SoundFormat, str] = {
    SoundFormat.MP3: "audio/mpeg",
    SoundFormat.OPUS: "audio/ogg",
    SoundFormat.AAC: "audio/aac",
    SoundFormat.FLAC: "audio/flac",
    SoundFormat.WAV: "audio/wav",
    SoundFormat.PCM: "audio/pcm",
}


class VoiceId(BaseModel):
    """A voice as an object: the same names."""

    model_config = ConfigDict(extra="forbid")

    id: str


class SpeechRequest(BaseModel):
    """What to say and how. `instructions` are refused: the voice has one manner of speaking."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    model: str
    input: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    voice: str | VoiceId
    response_format: SoundFormat = SoundFormat.MP3
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    stream_format: Literal["audio", "sse"] = "audio"
    instructions: str | None = None


def model_of(settings: SpeechSettings) -> str:
    """The name to ask for."""
    return settings.voice_model if settings.voice_url else PACKAGED


def routes(senses: Senses, model: str, accounts: Accounts) -> APIRouter:
    """The router of this surface. `model` is the name to ask for."""
    router = APIRouter(prefix="/v1/audio/speech", tags=["audio"], route_class=StrictJsonRoute)
    said = {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}}
    said["content"]["text/event-stream"] = {"schema": {"type": "string"}}

    @router.post("", response_class=Response, responses={200: said, **responses(404, 409, 422, 501, 502, 504)})
    async def create_speech(request: Request, body: SpeechRequest, caller: Anyone) -> Response:
        """Say the input. It is sent as it is spoken, as sound or (`stream_format: "sse"`) as events with base64."""
        if body.instructions:
            raise UnsupportedParameter("The voice takes no instructions.", param="instructions")
        if body.model not in (TTS, model):
            message = f"There is no speech model {body.model!r}; there is {model!r}, also called {TTS!r}."
            raise NotFound(message, param="model", code="model_not_found")
        try:
            pieces = _encoded(senses, body)
        except MissingExtra as missing:
            return _unspoken(missing, body.input)
        # The first piece is waited for, so that a voice that fails is told by its status.
        first = await anext(pieces, b"")
        if not first:
            raise InvalidInput("The input holds nothing that can be said.", param="input")
        await accounts.book(request, model, model, Usage())
        if body.stream_format == "sse":
            return EventStream(_events(first, pieces), {})
        return Sound(first, pieces, MEDIA_TYPES[body.response_format])

    return router


class Sound(Response):
    """Sends the sound as it comes. A client that goes away stops the voice."""

    def __init__(self, first: bytes, pieces: AsyncIterator[bytes], media_type: str) -> None:
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers({"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._first = first
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop when the client is gone. An error leaves the sound without its end."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        pump, leaving = asyncio.create_task(self._pump(send)), asyncio.create_task(gone(receive))
        try:
            await asyncio.wait({pump, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pump.cancel()
            leaving.cancel()
            await asyncio.wait({pump, leaving})
        if not pump.cancelled():
            pump.result()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, send: Send) -> None:
        async with aclosing(cast("Any", self._pieces)):
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})


def _encoded(senses: Senses, body: SpeechRequest) -> AsyncIterator[bytes]:
    """The sound in the format that was asked for. What is wrong with the request is raised here, not on the way."""
    speaker = senses.speaker
    voice = body.voice if isinstance(body.voice, str) else body.voice.id
    said = speaker.speak(body.input, voice=voice, speed=body.speed)
    encoder = open_encoder(body.response_format, speaker.rate)

    async def pieces() -> AsyncIterator[bytes]:
        spoke = False
        async with aclosing(cast("Any", said)) as samples:
            async for piece in samples:
                spoke = True
                if made := await asyncio.to_thread(encoder.feed, piece):
                    yield made
        if spoke and (rest := await asyncio.to_thread(encoder.end)):
            yield rest

    return pieces()


async def _events(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    def delta(piece: bytes) -> dict[str, Any]:
        return {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}

    async with aclosing(cast("Any", pieces)):
        yield delta(first)
        async for piece in pieces:
            yield delta(piece)
    # The voices here count no tokens.
    yield {"type": "speech.audio.done", "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}


def _unspoken(missing: MissingExtra, text: str) -> Response:
    """The refusal, with the text: whoever cannot hear it can show it."""
    told = body_of(missing)
    return Json({**told, "error": {**told["error"], "text": text}, "text": text}, status_of(missing)[0])
