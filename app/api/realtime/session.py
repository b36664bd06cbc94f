"""A realtime session: what each event of the client does. Knows no WebSocket; events go in, events come out."""

from __future__ import annotations

import asyncio

from app.api.realtime import events
from app.api.realtime.answers import Answers
from app.api.realtime.context import Context, Send
from app.api.realtime.conversation import Item
from app.api.realtime.ear import Ear, pcm_of
from app.api.realtime.events import Json, new_id
from app.api.realtime.line import Line
from app.api.realtime.listener import Listener
from core.canonical import storable
from core.errors import InvalidInput, TooLarge, WaysideError


class Session:
    """One caller's conversation on one thread. `send` takes the events that the client gets.

    `handle` is called with one event at a time, and never waits for a model: what takes long is done in order by
    `run`, beside it, so that whoever speaks is heard while an answer is on its way.
    """

    def __init__(self, line: Line, send: Send, thread_id: str | None) -> None:
        self.id = new_id("sess")
        self._context = Context(line, send, thread_id or "")
        self._answers = Answers(self._context)
        self._listener = Listener(self._context, self._answers)

    @property
    def thread_id(self) -> str:
        """The thread that remembers the conversation."""
        return self._context.thread_id

    async def begin(self) -> None:
        """Say that the session is there."""
        self._listener.listen()
        await self._context.emit({"type": "session.created", "session": self._json()})

    async def run(self) -> None:
        """Do what takes long, in order."""
        while True:
            job = await self._context.jobs.get()
            try:
                await job()
            except WaysideError as problem:
                await self._context.emit(events.error(problem))

    async def close(self) -> None:
        """Nobody is on the line any more. A turn that acts goes on to its end by itself."""
        await self._listener.close()
        await self._answers.close()

    async def handle(self, text: str | bytes) -> None:
        """Do what the client's event asks for. What is wrong with it is answered with an `error` event."""
        event_id = None
        try:
            given = events.read(text)
            told = given.get("event_id")
            event_id = told if isinstance(told, str) else None
            await self._handle(events.understood(given))
        except WaysideError as problem:
            await self._context.emit(events.error(problem, event_id))

    async def _handle(self, event: events.ClientEvent) -> None:
        context = self._context
        match event:
            case events.Append():
                await self._listener.append(event.audio)
            case events.Commit():
                await self._listener.commit()
            case events.Clear():
                await self._listener.clear()
            case events.Update():
                await self._update(event.session)
            case events.Create():
                await self._create(event.item, event.previous_item_id)
            case events.Retrieve():
                item = context.conversation.get(event.item_id)
                await context.emit({"type": "conversation.item.retrieved", "item": item.json()})
            case events.Truncate():
                await self._answers.truncate(event.item_id, event.audio_end_ms)
            case events.Delete():
                context.conversation.delete(event.item_id)
                await context.emit({"type": "conversation.item.deleted", "item_id": event.item_id})
            case events.Respond():
                self._respond(event)
            case events.Cancel():
                self._answers.cancel(event.response_id)

    async def _update(self, given: Json) -> None:
        context = self._context
        config = context.config.updated(given, context.voices, context.line.recognisers)
        context.speaker(config)
        before, context.config = context.config, config
        if config.audio.input.turn_detection != before.audio.input.turn_detection:
            await self._listener.relisten()
        await context.emit({"type": "session.updated", "session": self._json()})

    async def _create(self, given: events.NewItem, after: str | None) -> None:
        context = self._context
        item = Item(given.id or new_id("item"), given.role)
        texts: list[str] = []
        sound = b""
        for i, part in enumerate(given.content):
            if isinstance(part, events.TextPart):
                texts.append(part.text)
                item.content.append({"type": "input_text", "text": part.text})
            else:
                where = f"item.content.{i}"
                if given.role != "user" or len(given.content) > 1:
                    raise InvalidInput("A recording is the user's, and a message of its own.", param=where)
                _ = context.transcriber
                sound = pcm_of(part.audio, f"{where}.audio")
                if not sound:
                    raise InvalidInput("There is no sound in it.", param=f"{where}.audio")
                context.count(sound, f"{where}.audio")
                item.content.append({"type": "input_audio", "transcript": None})
        item.text = "\n".join(texts)
        if not storable(item.text):
            raise InvalidInput("A character of it cannot be stored.", param="item.content")
        if len(item.text) > context.line.characters:
            raise TooLarge(f"A message has {context.line.characters} characters at most.", param="item.content")
        ear = Ear(context.line.limits.message_seconds)
        await asyncio.to_thread(ear.feed, sound)
        previous = context.conversation.last
        context.conversation.add(item, after)
        await context.emit({"type": "conversation.item.added", "previous_item_id": previous, "item": item.json()})
        if sound:
            context.jobs.put_nowait(lambda: self._listener.transcribe(item, ear.take()))
        else:
            await context.emit({"type": "conversation.item.done", "item": item.json()})

    def _respond(self, event: events.Respond) -> None:
        options = event.response or events.ResponseOptions()
        config = self._context.config
        if options.output_modalities is not None:
            config = config.model_copy(update={"output_modalities": options.output_modalities})
        response = self._answers.add(config, options.metadata)
        self._context.jobs.put_nowait(lambda: self._answers.answer(response, event.event_id))

    def _json(self) -> Json:
        context = self._context
        about = {"thread_id": context.thread_id, "voices": context.voices}
        return {**context.config.model_dump(), "object": "realtime.session", "id": self.id, "wayside": about}
