"""The WebSocket /v1/realtime: who may connect, how long a session lasts, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

import orjson
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app import logs
from app.accounts import Accounts
from app.api.audio import WHISPER
from app.api.chat_agent import THREAD_HEADER
from app.api.realtime import events
from app.api.realtime.config import ServerVad
from app.api.realtime.ear import Detector
from app.api.realtime.events import Json
from app.api.realtime.line import Line
from app.api.realtime.session import Session
from app.limits import Limits
from app.runs.owner import THREAD_ID
from app.runs.wayside import WAYSIDE
from app.senses import open_detector
from core.errors import InvalidInput, NotFound, RateLimited, TooLarge, UnsupportedParameter, WaysideError
from core.identity import Credential
from core.types import Answer

if TYPE_CHECKING:
    from app.wiring import Wayside

SUBPROTOCOL = "realtime"
_PARAMETERS = frozenset({"model", "thread_id"})
# Events that wait for a client who is slow to take them; then what makes them waits.
_WAITING = 256
_BROKEN = 1011


class SessionExpired(WaysideError):
    """A session that lasted too long, or in which nothing happened."""

    code = "session_expired"


# What a connection is closed with.
_CODES: Mapping[type[Exception], int] = {SessionExpired: 1001, TooLarge: 1009}


def routes(wayside: Wayside, accounts: Accounts, limits: Limits) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/v1/realtime", tags=["realtime"])
    most, open_sessions = wayside.settings.realtime.sessions, set[str]()

    @router.websocket("")
    async def realtime(websocket: WebSocket) -> None:
        credential: Credential = websocket.scope["state"]["credential"]
        thread_id = _thread(websocket)
        if len(open_sessions) >= most:
            raise RateLimited(f"There are {most} realtime sessions already.", retry_after=10.0)
        offered = websocket.scope.get("subprotocols", [])
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        talk = Talk(websocket, _line(wayside, accounts, limits, credential), thread_id)
        open_sessions.add(talk.session.id)
        begun = monotonic()
        try:
            await talk.run()
        finally:
            open_sessions.discard(talk.session.id)
            logs.logger.info(
                "realtime session",
                session=talk.session.id,
                thread_id=talk.session.thread_id,
                key_id=credential.principal.key_id,
                tenant=credential.principal.tenant,
                seconds=round(monotonic() - begun, 2),
            )

    return router


class Talk:
    """One session on its connection."""

    def __init__(self, websocket: WebSocket, line: Line, thread_id: str | None) -> None:
        self._websocket = websocket
        self._limits = line.limits
        self._outgoing: asyncio.Queue[Json] = asyncio.Queue(_WAITING)
        self.session = Session(line, self._outgoing.put, thread_id)

    async def run(self) -> None:
        """Until the client leaves, or has to."""
        tasks = {asyncio.create_task(work) for work in (self._write(), self._read(), self.session.run())}
        problem: Exception | None = None
        try:
            async with asyncio.timeout(self._limits.session_seconds):
                await self.session.begin()
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            problem = SessionExpired(f"A session lasts {self._limits.session_seconds:g} seconds at most.")
        except (SessionExpired, TooLarge) as over:
            problem = over
        except Exception as broken:
            logs.logger.error("realtime session broke", **logs.describe(broken))
            problem = broken
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if problem is not None:
                await self._hang_up(problem)
            await self.session.close()

    async def _read(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    message = await self._websocket.receive()
            except TimeoutError:
                told = f"Nothing was heard of the client for {self._limits.idle_seconds:g} seconds."
                raise SessionExpired(told) from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            text = message.get("text")
            content = message.get("bytes") if text is None else text
            if content is None or len(content) > self._limits.event_bytes:
                raise TooLarge(f"An event has {self._limits.event_bytes:,} bytes at most.")
            await self.session.handle(content)

    async def _write(self) -> None:
        while True:
            await self._send(await self._outgoing.get())

    async def _send(self, event: Json) -> None:
        await self._websocket.send_text(orjson.dumps(event).decode())

    async def _hang_up(self, problem: Exception) -> None:
        """Tell why the session ends; what else was to be sent is not."""
        code = next((code for kind, code in _CODES.items() if isinstance(problem, kind)), _BROKEN)
        if WebSocketState.DISCONNECTED in (self._websocket.client_state, self._websocket.application_state):
            return
        # The client may leave by itself just now, which starlette tells in two ways.
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._send({"event_id": events.new_id("event"), **events.error(problem)})
            await self._websocket.close(code)


def _thread(websocket: WebSocket) -> str | None:
    """The thread that the client names. Raises `InvalidInput` for what is not honoured, before anything is opened."""
    query = websocket.query_params
    for name in query:
        if name not in _PARAMETERS:
            raise UnsupportedParameter(f"The parameter {name} is not supported.", param=name)
    model = query.get("model", WAYSIDE)
    if model != WAYSIDE:
        message = f"There is no realtime model {model!r}; there is {WAYSIDE!r}."
        raise NotFound(message, param="model", code="model_not_found")
    thread_id = query.get("thread_id", websocket.headers.get(THREAD_HEADER))
    if thread_id is not None and not THREAD_ID.fullmatch(thread_id):
        raise InvalidInput("A thread id has 1 to 64 letters, digits, hyphens and underscores.", param="thread_id")
    return thread_id


def _line(wayside: Wayside, accounts: Accounts, limits: Limits, credential: Credential) -> Line:
    settings, senses = wayside.settings, wayside.senses
    speech = settings.speech

    def detector(vad: ServerVad) -> Detector:
        return open_detector(vad.threshold, vad.prefix_padding_ms, vad.silence_duration_ms)

    async def book(answer: Answer) -> None:
        await accounts.book_run(credential.principal, WAYSIDE, answer.engine, answer.usage)

    return Line(
        principal=credential.principal,
        agent=wayside.voice,
        hearing=senses.hearing,
        speaking=senses.speaking,
        detector=detector,
        recognisers=(speech.remote_model if speech.url else speech.model, WHISPER),
        limits=settings.realtime,
        characters=settings.limits.message_characters,
        admit=lambda: limits.admit(credential),
        book=book,
    )
