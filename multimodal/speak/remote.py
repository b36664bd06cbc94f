"""The voice of an API that speaks OpenAI's protocol, through OpenAI's own client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import openai

from core.settings import SpeechSettings
from multimodal.failures import translated
from multimodal.speak.limits import chosen
from multimodal.speak.wording import spoken

NAMES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse")
"""OpenAI's voices. Another API may have others: its default one is set, and its own refusal is told."""

MOST = 4096
"""Characters of one request."""

_SECONDS = 30.0


class RemoteSpeaker:
    """The voice behind `settings.voice_url`. Tries once."""

    rate: int = 24_000

    def __init__(self, settings: SpeechSettings) -> None:
        if settings.voice_url is None:
            raise ValueError("a remote voice needs settings.voice_url")
        self.voices: Sequence[str] = (
            settings.remote_voice,
            *(name for name in NAMES if name != settings.remote_voice),
        )
        self._model = settings.voice_model
        key = settings.voice_api_key.get_secret_value() if settings.voice_api_key else "none"
        self._client = openai.AsyncOpenAI(
            base_url=str(settings.voice_url), api_key=key, timeout=_SECONDS, max_retries=0
        )

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> AsyncIterator[bytes]:
        """Pass the samples on as they come. Whoever stops listening closes the connection."""
        return self._speak(text, chosen(self.voices, voice, speed), speed)

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()

    async def _speak(self, text: str, voice: str, speed: float) -> AsyncIterator[bytes]:
        for request in _requests(spoken(text)):
            with translated("the voice"):
                async with self._client.audio.speech.with_streaming_response.create(
                    model=self._model, voice=voice, input=request, response_format="pcm", speed=speed
                ) as answer:
                    half = b""
                    async for piece in answer.iter_bytes():
                        whole = half + piece
                        even = len(whole) - len(whole) % 2
                        half = whole[even:]
                        if even:
                            yield whole[:even]


def _requests(parts: Sequence[str]) -> Iterator[str]:
    """As much at once as one request takes: a voice that sees the whole text knows better how to say it."""
    request = ""
    for part in parts:
        if request and len(request) + 1 + len(part) > MOST:
            yield request
            request = part
        else:
            request = f"{request} {part}" if request else part
    if request:
        yield request
