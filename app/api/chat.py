"""POST /v1/chat/completions: the agent under the name `wayside`, every engine's model under its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from fastapi import APIRouter
from opentelemetry.trace import Span
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from app.accounts import Accounts
from app.api.chat_agent import THREAD_HEADER, chunks, completion, turn_of, with_media
from app.api.chat_engine import Passthrough, engine_request, unless_gone, usage_of
from app.api.chat_request import ChatRequest
from app.api.json import Json, StrictJsonRoute
from app.auth import Anyone
from app.engines.protocol import Engine
from app.errors import responses
from app.requests import CLIENT_GONE
from app.runs.wayside import WAYSIDE
from app.sse import EventStream
from app.telemetry import Telemetry, finish
from core.errors import NotFound
from core.types import Turn, Usage

if TYPE_CHECKING:
    from app.wiring import Wayside

ENGINE_HEADER = "x-wayside-engine"


class ChatCompletion(BaseModel):
    """OpenAI's `chat.completion`; with `wayside`, the message has `annotations`, and `wayside` tells of the turn."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]


def routes(wayside: Wayside, accounts: Accounts, telemetry: Telemetry) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/v1", tags=["chat"], route_class=StrictJsonRoute)
    chat = Chat(wayside, accounts, telemetry)
    stream = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}

    @router.post(
        "/chat/completions",
        response_model=ChatCompletion,
        responses={200: stream, **responses(404, 409, 422, 502, 504)},
    )
    async def create_chat_completion(request: Request, body: ChatRequest, caller: Anyone) -> Response:
        """Answer a conversation, as a whole or as a stream of events."""
        body.check(wayside.settings.limits.message_characters)
        if body.model == WAYSIDE:
            turn = turn_of(body, caller, request.headers.get(THREAD_HEADER))
            turn = await with_media(turn, body, wayside.observing)
            return await (chat.stream_turn if body.stream else chat.take_turn)(request, body, turn)
        engine = wayside.engines.get(body.model)
        if engine is None:
            raise NotFound(f"There is no model {body.model!r}.", param="model", code="model_not_found")
        return await (chat.stream_engine if body.stream else chat.ask_engine)(request, body, engine)

    return router


class Chat:
    """The four ways to answer: agent or engine, whole or streamed."""

    def __init__(self, wayside: Wayside, accounts: Accounts, telemetry: Telemetry) -> None:
        self._assistant = wayside.assistant
        self._accounts = accounts
        self._telemetry = telemetry

    async def take_turn(self, request: Request, body: ChatRequest, turn: Turn) -> Response:
        """The agent's whole answer."""
        span = self._telemetry.model_call("invoke_agent", WAYSIDE, WAYSIDE)
        try:
            answer = await unless_gone(request.receive, self._assistant.answer(turn))
        except BaseException as error:
            finish(span, error=error)
            raise
        if answer is None:
            finish(span)
            return Response(status_code=CLIENT_GONE)
        finish(span, model=WAYSIDE, usage=answer.usage)
        await self._accounts.book(request, WAYSIDE, answer.engine, answer.usage)
        headers = {THREAD_HEADER: answer.thread_id, ENGINE_HEADER: answer.engine or "none"}
        return Json(completion(answer, turn), headers=headers)

    async def stream_turn(self, request: Request, body: ChatRequest, turn: Turn) -> Response:
        """The agent's answer as it grows. Which engine spoke stands in the chunk with the annotations."""
        include_usage = bool(body.stream_options and body.stream_options.include_usage)
        return EventStream(self._turn_events(request, turn, include_usage), {THREAD_HEADER: turn.thread_id})

    async def _turn_events(self, request: Request, turn: Turn, include_usage: bool) -> AsyncIterator[Mapping[str, Any]]:
        span = self._telemetry.model_call("invoke_agent", WAYSIDE, WAYSIDE)
        usage, engine, first = Usage(), "", None
        try:
            async with aclosing(cast("Any", self._assistant.stream(turn))) as pieces:
                async for chunk, answer in chunks(pieces, turn, include_usage=include_usage):
                    if first is None and any(choice["delta"].get("content") for choice in chunk["choices"]):
                        first = perf_counter() - request.state.start
                    if answer is not None:
                        usage, engine = answer.usage, answer.engine
                    yield chunk
        except BaseException as error:
            finish(span, error=error)
            raise
        else:
            finish(span, model=WAYSIDE, usage=usage)
        finally:
            if first is not None:
                self._accounts.first_token(request, WAYSIDE, engine, first)
            await self._accounts.book(request, WAYSIDE, engine, usage)

    async def ask_engine(self, request: Request, body: ChatRequest, engine: Engine) -> Response:
        """The engine's whole answer. A client that goes away stops the generation."""
        span = self._telemetry.model_call("chat", body.model, engine.name)
        try:
            done = await unless_gone(request.receive, engine.complete(engine_request(body)))
        except BaseException as error:
            finish(span, error=error)
            raise
        if done is None:
            finish(span)
            return Response(status_code=CLIENT_GONE)
        usage = usage_of(done.body) or Usage()
        finish(span, model=done.body.get("model", body.model), usage=usage)
        await self._accounts.book(request, body.model, done.engine, usage)
        return Json(done.body, headers={ENGINE_HEADER: done.engine})

    async def stream_engine(self, request: Request, body: ChatRequest, engine: Engine) -> Response:
        """The engine's answer as it grows. A client that goes away stops the generation."""
        span = self._telemetry.model_call("chat", body.model, engine.name)
        try:
            stream = await unless_gone(request.receive, engine.stream(engine_request(body)))
        except BaseException as error:
            finish(span, error=error)
            raise
        if stream is None:
            finish(span)
            return Response(status_code=CLIENT_GONE)
        self._accounts.first_token(request, body.model, stream.engine, perf_counter() - request.state.start)
        include_usage = bool(body.stream_options and body.stream_options.include_usage)
        passing = Passthrough(stream, include_usage=include_usage)
        events = self._engine_events(request, body.model, stream.engine, passing, span)
        return EventStream(events, {ENGINE_HEADER: stream.engine})

    async def _engine_events(
        self, request: Request, model: str, engine: str, passing: Passthrough, span: Span
    ) -> AsyncIterator[Mapping[str, Any]]:
        try:
            async with aclosing(cast("Any", passing.chunks())) as chunks_:
                async for chunk in chunks_:
                    yield chunk
        except BaseException as error:
            finish(span, error=error)
            raise
        else:
            finish(span, model=model, usage=passing.usage)
        finally:
            await self._accounts.book(request, model, engine, passing.usage)
