"""How a realtime session listens: sound becomes messages, and whoever speaks interrupts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.api.realtime import events
from app.api.realtime.answers import Answers
from app.api.realtime.context import Context
from app.api.realtime.conversation import Item
from app.api.realtime.ear import Ear, pcm_of
from app.api.realtime.events import new_id
from app.api.realtime.hearing import Hearing, transcribed
from app.observing import heard
from core.errors import InvalidInput, WaysideError
from core.media import NOTHING, RATE, Audio, Observed
from multimodal.tone import tone

# The shortest message that a client may commit.
_SHORTEST = 0.1


@dataclass(frozen=True, slots=True)
class Utterance:
    """A message that is being spoken; `hearing` writes it down meanwhile, where the client wants to be told."""

    item: Item
    hearing: Hearing | None


class Listener:
    """One session's input buffer."""

    def __init__(self, context: Context, answers: Answers) -> None:
        self._context = context
        self._answers = answers
        self._ear = Ear(context.line.limits.message_seconds)
        self._utterance: Utterance | None = None
        self._owed = False

    def listen(self) -> None:
        """Listen with a new detector, as the configuration has it, or without one."""
        vad = self._context.config.audio.input.turn_detection
        self._ear.detect(self._context.line.detector(vad) if vad is not None and self._context.hears else None)

    async def relisten(self) -> None:
        """Listen anew: how turns are detected has changed."""
        await self._drop()
        self.listen()

    async def append(self, encoded: str) -> None:
        """More sound. Raises `MissingExtra`, `InvalidInput` and `TooLarge`."""
        context = self._context
        _ = context.transcriber
        pcm = pcm_of(encoded, "audio")
        context.count(pcm, "audio")
        if self._ear.full:
            # Nobody pauses: it is a message all the same.
            await self._stopped(self._ear.heard)
            self.listen()
        for edge in await asyncio.to_thread(self._ear.feed, pcm):
            if edge.edge == "started":
                await self._started(edge.at)
            else:
                await self._stopped(self._ear.origin + edge.at)
        self._ear.forget()
        if self._utterance is not None and self._utterance.hearing is not None:
            self._utterance.hearing.hear(self._ear.spoken)

    async def commit(self) -> None:
        """What was said is a message. Raises `InvalidInput` when there is none."""
        _ = self._context.transcriber
        audio = self._ear.take()
        if audio.seconds < _SHORTEST:
            raise InvalidInput("There is less than 100 ms of sound.", code="input_audio_buffer_commit_empty")
        spoken, self._utterance = self._utterance or Utterance(_spoken_item(), None), None
        self.listen()
        await self._message(spoken, audio, respond=False)

    async def clear(self) -> None:
        """What was said is none."""
        await self._drop()
        self._ear.clear()
        self.listen()
        await self._context.emit({"type": "input_audio_buffer.cleared"})

    async def transcribe(self, item: Item, audio: Audio, hearing: Hearing | None = None) -> None:
        """Find out what the item says, and tell it."""
        emit = self._context.emit
        wanted = self._context.config.audio.input.transcription
        about = {"item_id": item.id, "content_index": 0}
        try:
            finding = hearing.finish(audio) if hearing else transcribed(self._context.transcriber, audio, wanted)
            transcript, sounds = await asyncio.gather(finding, asyncio.to_thread(tone, audio))
        except WaysideError as problem:
            item.status = "incomplete"
            told = {**about, "error": events.error(problem)["error"]}
            await emit({"type": "conversation.item.input_audio_transcription.failed", **told})
            return
        item.text, item.status = transcript.text, "completed"
        item.observed = Observed((heard(item.id, transcript, sounds),)) if transcript.text else NOTHING
        item.content[0]["transcript"] = item.text
        if wanted is not None:
            usage = {"type": "duration", "seconds": audio.seconds}
            about |= {"transcript": item.text, "usage": usage}
            await emit({"type": "conversation.item.input_audio_transcription.completed", **about})
        await emit({"type": "conversation.item.done", "item": item.json()})

    async def close(self) -> None:
        """Nobody is on the line any more."""
        await self._drop()

    async def _started(self, at: int) -> None:
        context = self._context
        start = self._ear.started(at)
        item, wanted = _spoken_item(), context.config.audio.input.transcription
        hearing = Hearing(context.transcriber, wanted, context.emit, item.id) if wanted is not None else None
        self._utterance = Utterance(item, hearing)
        told = {"audio_start_ms": start * 1000 // RATE, "item_id": item.id}
        await context.emit({"type": "input_audio_buffer.speech_started", **told})
        vad = context.config.audio.input.turn_detection
        if vad is not None and vad.interrupt_response:
            await self._answers.interrupted()

    async def _stopped(self, end: int) -> None:
        if self._utterance is None:
            return
        spoken, self._utterance = self._utterance, None
        audio = self._ear.take(end)
        told = {"audio_end_ms": end * 1000 // RATE, "item_id": spoken.item.id}
        await self._context.emit({"type": "input_audio_buffer.speech_stopped", **told})
        vad = self._context.config.audio.input.turn_detection
        await self._message(spoken, audio, respond=vad is not None and vad.create_response)

    async def _message(self, spoken: Utterance, audio: Audio, *, respond: bool) -> None:
        """A message was spoken: it is an item at once, and has words when it was transcribed."""
        context, item = self._context, spoken.item
        previous = context.conversation.last
        context.conversation.add(item)
        committed = {"item_id": item.id, "previous_item_id": previous}
        await context.emit({"type": "input_audio_buffer.committed", **committed})
        await context.emit({"type": "conversation.item.added", "previous_item_id": previous, "item": item.json()})

        async def understand() -> None:
            await self.transcribe(item, audio, spoken.hearing)
            if not respond or not (item.text.strip() or self._owed):
                return
            # Who goes on speaking meanwhile is answered when they are done, to all of it.
            self._owed = self._utterance is not None
            # A response that the client asked for meanwhile answers this as well.
            if not self._owed and not self._answers.busy:
                await self._answers.answer(self._answers.add(context.config))

        context.jobs.put_nowait(understand)

    async def _drop(self) -> None:
        if self._utterance is not None and self._utterance.hearing is not None:
            await self._utterance.hearing.close()
        self._utterance = None


def _spoken_item() -> Item:
    return Item(new_id("item"), "user", [{"type": "input_audio", "transcript": None}], "in_progress")
