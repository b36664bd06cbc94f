"""One answer of a realtime session: the agent's turn, spoken sentence by sentence while it is still being written.

The turn and the voice are apart. Whoever interrupts stops the voice; the turn goes on to its end, so that no tool call
is cut off and none is made again, and the thread keeps it with how much of it was heard.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic
from typing import Any, cast

from app import logs
from app.api.chat_agent import cited, usage_json
from app.api.realtime.config import SessionConfig
from app.api.realtime.conversation import Item, Piece, heard
from app.api.realtime.events import Json, new_id
from app.api.realtime.speech import Stretches
from app.errors import body_of
from core.errors import WaysideError
from core.ports import Speaker
from core.types import Answer, TextDelta, Turn, TurnEvent

SENT_RATE = 24_000
# A quarter of a second of sound an event.
_CHUNK = SENT_RATE // 4 * 2

Emit = Callable[[Json], Awaitable[None]]


class Response:
    """An answer on its way. `item` is what is said; `spoken` says whether it is, or only written."""

    def __init__(self, config: SessionConfig, emit: Emit, speaker: Speaker | None, metadata: Json | None) -> None:
        self.id = new_id("resp")
        self.item = Item(new_id("item"), "assistant", status="in_progress", answered=True)
        self.answer: Answer | None = None
        self.turn: Turn | None = None
        self.status = "in_progress"
        self.cut_ms: float | None = None
        self._config = config
        self._emit = emit
        self._speaker = speaker if config.spoken else None
        self._metadata = metadata
        self._reason: Json | None = None
        self._pieces: list[Piece] = []
        self._told: asyncio.Queue[str | None] = asyncio.Queue()
        self._carried: asyncio.Task[None] | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._first: float | None = None

    @property
    def spoken(self) -> bool:
        """Whether the answer is spoken."""
        return self._speaker is not None

    @property
    def sent_ms(self) -> float:
        """Milliseconds of speech that were sent."""
        return sum(piece.milliseconds for piece in self._pieces)

    @property
    def played_ms(self) -> float:
        """Milliseconds that can have been heard by now, by a client that plays what it gets at once."""
        return 0.0 if self._first is None else min(self.sent_ms, (monotonic() - self._first) * 1000)

    @property
    def playing(self) -> bool:
        """Whether such a client is still hearing it, or about to."""
        return self._speaking is not None and (not self._speaking.done() or self.played_ms < self.sent_ms)

    def heard(self, milliseconds: float) -> str:
        """The text that was heard after so long."""
        return heard(self._pieces, milliseconds)

    async def run(self, turn: Turn, pieces: AsyncIterator[TurnEvent], previous: str | None) -> None:
        """Take the turn and say its answer; returns when everything was sent, or when it was cancelled."""
        self.turn = turn
        self._carried = asyncio.create_task(self._carry(pieces))
        self._speaking = asyncio.create_task(self._say(previous))
        await asyncio.wait({self._speaking})
        if not self._speaking.cancelled():
            self._speaking.result()
        await self._done()

    def cancel(self, reason: str) -> bool:
        """Stop the voice, not the turn. False when it has ended already."""
        if self.status != "in_progress":
            return False
        self.status, self._reason = "cancelled", {"type": "cancelled", "reason": reason}
        if self._speaking is not None:
            self._speaking.cancel()
        return True

    async def void(self) -> None:
        """Tell of a response that was cancelled before it had begun."""
        begun = {**self.json(), "status": "in_progress", "status_details": None}
        await self._emit({"type": "response.created", "response": begun})
        await self._emit({"type": "response.done", "response": self.json()})

    async def settled(self) -> Answer | None:
        """Wait for the end of the turn; its answer, or None when it failed."""
        if self._carried is not None:
            await asyncio.wait({self._carried})
        return self.answer

    async def close(self) -> None:
        """Nobody is on the line any more: stop the voice, and stop listening to the turn."""
        for task in (self._speaking, self._carried):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _carry(self, pieces: AsyncIterator[TurnEvent]) -> None:
        stretches = Stretches()
        try:
            async with aclosing(cast("Any", pieces)):
                async for piece in pieces:
                    if isinstance(piece, TextDelta):
                        for stretch in stretches.feed(piece.text):
                            self._told.put_nowait(stretch)
                    elif isinstance(piece, Answer):
                        self.answer = piece
        except WaysideError as problem:
            self._fail(problem)
        except Exception as problem:
            logs.logger.error("turn of a realtime session failed", **logs.describe(problem))
            self._fail(problem)
        for stretch in stretches.end():
            self._told.put_nowait(stretch)
        self._told.put_nowait(None)

    def _fail(self, problem: BaseException) -> None:
        if self.status == "in_progress":
            told = body_of(problem)["error"]
            error = {"type": told["type"], "code": told["code"], "message": told["message"]}
            self.status, self._reason = "failed", {"type": "failed", "error": error}

    async def _say(self, previous: str | None) -> None:
        kind = "output_audio" if self.spoken else "output_text"
        self.item.content = [{"type": kind, "transcript" if self.spoken else "text": ""}]
        await self._emit({"type": "response.created", "response": self.json()})
        shown = {**self.item.json(), "content": []}
        await self._emit({"type": "response.output_item.added", **self._where(item=False), "item": shown})
        await self._emit({"type": "conversation.item.added", "previous_item_id": previous, "item": shown})
        await self._emit({"type": "response.content_part.added", **self._where(), "part": self._part()})
        delta = "response.output_audio_transcript.delta" if self.spoken else "response.output_text.delta"
        while (stretch := await self._told.get()) is not None:
            self._tell(stretch)
            await self._emit({"type": delta, **self._where(), "delta": stretch})
            if self._speaker is not None:
                try:
                    await self._voice(self._speaker, stretch)
                except WaysideError as problem:
                    # The voice failed, not the turn: the text is there, and says so.
                    self._fail(problem)
                    return

    async def _voice(self, speaker: Speaker, stretch: str) -> None:
        output = self._config.audio.output
        self._pieces.append(Piece(stretch, 0.0))
        said = speaker.speak(stretch, voice=output.voice, speed=output.speed)
        async with aclosing(cast("Any", said)) as sound:
            async for samples in sound:
                for at in range(0, len(samples), _CHUNK):
                    chunk = samples[at : at + _CHUNK]
                    if self._first is None:
                        self._first = monotonic()
                    lasts = self._pieces[-1].milliseconds + len(chunk) / 2 / SENT_RATE * 1000
                    self._pieces[-1] = Piece(stretch, lasts)
                    encoded = base64.b64encode(chunk).decode()
                    await self._emit({"type": "response.output_audio.delta", **self._where(), "delta": encoded})

    def _tell(self, stretch: str) -> None:
        part = self.item.content[0]
        name = "transcript" if self.spoken else "text"
        part[name] += stretch
        self.item.text = part[name]

    async def _done(self) -> None:
        if self.status == "in_progress":
            self.status, self._reason = "completed", {"type": "completed"}
        self.item.status = "completed" if self.status == "completed" else "incomplete"
        if not self.item.content:
            await self.void()
            return
        if self.spoken:
            await self._emit({"type": "response.output_audio.done", **self._where()})
            told = {"transcript": self.item.text}
            await self._emit({"type": "response.output_audio_transcript.done", **self._where(), **told})
        else:
            await self._emit({"type": "response.output_text.done", **self._where(), "text": self.item.text})
        await self._emit({"type": "response.content_part.done", **self._where(), "part": self._part()})
        item = self.item.json()
        await self._emit({"type": "response.output_item.done", **self._where(item=False), "item": item})
        await self._emit({"type": "conversation.item.done", "item": item})
        await self._emit({"type": "response.done", "response": self.json()})

    def _where(self, *, item: bool = True) -> Json:
        place: Json = {"response_id": self.id, "output_index": 0}
        return {**place, "item_id": self.item.id, "content_index": 0} if item else place

    def _part(self) -> Json:
        told = self.item.text
        return {"type": "audio", "transcript": told} if self.spoken else {"type": "text", "text": told}

    def json(self) -> Json:
        """The response as clients see it; `wayside` tells of the turn once it is known."""
        answer = self.answer
        about: Json = {"thread_id": self.turn.thread_id, "turn_id": self.turn.id} if self.turn else {}
        if answer is not None:
            about |= {"declined": answer.declined, "approvals": list(answer.approvals), "citations": cited(answer)}
        usage = None if answer is None else usage_json(answer.usage)
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": self.status,
            "status_details": self._reason,
            "output": [self.item.json()] if self.item.content and self.status != "in_progress" else [],
            "output_modalities": self._config.output_modalities,
            "max_output_tokens": "inf",
            "metadata": self._metadata,
            "usage": usage
            and {
                "input_tokens": usage["prompt_tokens"],
                "output_tokens": usage["completion_tokens"],
                "total_tokens": usage["total_tokens"],
            },
            "wayside": about,
        }
