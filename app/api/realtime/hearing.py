"""What is being said, written down while it is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.api.realtime.config import Transcription
from app.api.realtime.events import Json
from core.errors import WaysideError
from core.media import Audio, Transcript
from core.ports import Transcriber
from multimodal.transcribe.partials import Listening

DELTA = "conversation.item.input_audio_transcription.delta"


class Hearing:
    """One message while it is spoken: what is certain of it is told as soon as it is, and never taken back."""

    def __init__(
        self, transcriber: Transcriber, wanted: Transcription, emit: Callable[[Json], Awaitable[None]], item_id: str
    ) -> None:
        self._listening = Listening(transcriber, language=wanted.language, prompt=wanted.prompt or "")
        self._emit = emit
        self._item_id = item_id
        self._audio: Audio | None = None
        self._fed = 0
        self._told = ""
        self._more = asyncio.Event()
        self._ended = False
        self._task = asyncio.create_task(self._run())

    def hear(self, audio: Audio) -> None:
        """The whole message so far."""
        self._audio = audio
        self._more.set()

    async def finish(self, audio: Audio) -> Transcript:
        """The message is over, and this is all of it. Raises what the transcriber does."""
        self._ended = True
        self._more.set()
        await self._task
        transcript = await self._listening.finish(self._fresh(audio))
        await self._tell(transcript.text)
        return transcript

    async def close(self) -> None:
        """It was no message after all."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            if self._ended or self._audio is None:
                return
            try:
                partial = await self._listening.feed(self._fresh(self._audio))
            except WaysideError:
                # Whoever waits for the whole hears of it, if it happens there again.
                continue
            await self._tell(partial.committed)

    def _fresh(self, audio: Audio) -> Audio:
        fresh = Audio(audio.samples[self._fed :])
        self._fed = max(self._fed, len(audio.samples))
        return fresh

    async def _tell(self, text: str) -> None:
        if len(text) > len(self._told) and text.startswith(self._told):
            delta, self._told = text[len(self._told) :], text
            await self._emit({"type": DELTA, "item_id": self._item_id, "content_index": 0, "delta": delta})


async def transcribed(transcriber: Transcriber, audio: Audio, wanted: Transcription | None) -> Transcript:
    """What was said in all of it, at once."""
    told = wanted or Transcription()
    return await transcriber.transcribe(audio, language=told.language, prompt=told.prompt or "")
