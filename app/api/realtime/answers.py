"""The answers of a realtime session: one at a time, interrupted, and remembered as they were heard."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from app import logs
from app.api.realtime import events
from app.api.realtime.config import SessionConfig
from app.api.realtime.context import Context
from app.api.realtime.events import Json
from app.api.realtime.response import Response
from core.errors import Conflict, InvalidInput, NotFound, WaysideError
from core.types import Message, Turn

# So many answers can still be truncated.
_REMEMBERED = 20


class Answers:
    """Makes the session's turns. Each begins when the one before it has ended, and the thread knows what was heard."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._responses: list[Response] = []
        self._instructed = ""
        self._settling: set[asyncio.Task[None]] = set()
        self._settled: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is a response on its way."""
        return self._active() is not None

    def add(self, config: SessionConfig, metadata: Json | None = None) -> Response:
        """A response that is to come. Raises `Conflict` while there is another one, `MissingExtra` without a voice."""
        if self._active() is not None:
            code = "conversation_already_has_active_response"
            raise Conflict("There is a response already; cancel it, or wait for its end.", code=code)
        response = Response(config, self._context.emit, self._context.speaker(config), metadata)
        self._responses.append(response)
        return response

    async def answer(self, response: Response, event_id: str | None = None) -> None:
        """Answer what was said; `event_id` is the client's event that asked for it."""
        context = self._context
        if response.status == "cancelled":
            # Before it began: what was asked waits for the next one.
            await response.void()
            return
        try:
            turn = await self._turn()
            previous = context.conversation.last
            context.conversation.add(response.item)
        except WaysideError as problem:
            self._responses.remove(response)
            await context.emit(events.error(problem, event_id))
            return
        context.fresh = False
        running = asyncio.create_task(response.run(turn, context.line.agent.stream(turn), previous))
        self._later(self._settle(response))
        try:
            await running
        finally:
            running.cancel()
        del self._responses[:-_REMEMBERED]

    def cancel(self, response_id: str | None) -> None:
        """Stop the voice. Raises `NotFound` when there is nothing to stop."""
        active = self._active()
        if active is None or response_id not in (None, active.id):
            code = "response_cancel_not_active"
            raise NotFound("There is no such response on its way.", param="response_id", code=code)
        active.cancel("client_cancelled")

    async def interrupted(self) -> None:
        """Somebody speaks: whatever is being spoken stops, and was heard up to here."""
        active = self._active()
        playing = next((each for each in reversed(self._responses) if each.spoken and each.item.content), None)
        still = playing is not None and playing.cut_ms is None and playing.playing
        if active is not None:
            active.cancel("turn_detected")
        if playing is not None and still:
            await self._cut(playing, playing.played_ms)

    async def truncate(self, item_id: str, milliseconds: int) -> None:
        """So much was heard, says the client. Raises `NotFound`, and `InvalidInput` for more than was spoken."""
        item = self._context.conversation.get(item_id)
        response = next((each for each in self._responses if each.item is item), None)
        if response is None or not response.spoken:
            raise InvalidInput("Only the latest spoken answers are truncated.", param="item_id")
        if milliseconds > response.sent_ms + 1:
            raise InvalidInput(f"Only {response.sent_ms:.0f} ms of it were spoken.", param="audio_end_ms")
        await self._cut(response, milliseconds)

    async def close(self) -> None:
        """Nobody is on the line any more. A turn that acts goes on to its end by itself."""
        for response in self._responses:
            await response.close()
        if self._settling:
            await asyncio.wait(set(self._settling))

    def _active(self) -> Response | None:
        return next((each for each in self._responses if each.status == "in_progress"), None)

    async def _turn(self) -> Turn:
        """What is asked, once the turns before it are over: each speaks to what the thread remembers of the last."""
        context = self._context
        if self._settled is not None:
            await asyncio.wait({self._settled})
        items = context.conversation.unanswered()
        if not items or items[-1].role != "user":
            raise InvalidInput("There is no message of the user's to answer.", code="nothing_to_answer")
        await context.line.admit()
        messages = [Message(item.role, item.text, observed=item.observed) for item in items]
        if context.config.instructions != self._instructed:
            self._instructed = context.config.instructions
            messages.insert(0, Message("system", self._instructed))
        for item in items:
            item.answered = True
        return Turn(context.line.principal, context.thread_id, tuple(messages), context.fresh)

    async def _settle(self, response: Response) -> None:
        """See to the end of the turn."""
        answer = await response.settled()
        if answer is None:
            return
        await self._context.line.book(answer)
        if response.status == "cancelled" and response.spoken and response.cut_ms is None:
            # Nobody said how much of it was heard: at most what was sent.
            response.cut_ms = response.sent_ms
            await self._remember(response)

    async def _cut(self, response: Response, milliseconds: float) -> None:
        response.cut_ms = milliseconds
        told = {"item_id": response.item.id, "content_index": 0, "audio_end_ms": int(milliseconds)}
        await self._context.emit({"type": "conversation.item.truncated", **told})
        self._later(self._remember(response))

    async def _remember(self, response: Response) -> None:
        """Let the thread know what was heard of an answer, once it has the answer."""
        answer = await response.settled()
        if answer is not None and response.cut_ms is not None:
            heard = response.heard(response.cut_ms)
            response.item.content = [{"type": "output_audio", "transcript": heard}]
            context = self._context
            await context.line.agent.heard(context.line.principal, context.thread_id, answer.text, heard)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it in the background, behind whatever else is to be remembered; the next turn waits for it."""
        before = self._settled

        async def after() -> None:
            if before is not None:
                await asyncio.wait({before})
            try:
                await work
            except WaysideError as problem:
                logs.logger.warning("an answer was not settled", **logs.describe(problem))

        self._settled = asyncio.create_task(after())
        self._settling.add(self._settled)
        self._settled.add_done_callback(self._settling.discard)
