"""The real adapters' parts: models out of the user's cache, databases, and small servers of other people's APIs."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from app.engines.null import NullEngine
from core.errors import EngineRejected
from core.modelstore import ModelStore
from tests.contract.systems import FORMS, Held, held
from tests.databases import KINDS, throwaway
from tests.fakes.foreign import ForeignServer


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """The user's store, with the models that Wayside comes with."""
    store = ModelStore()
    for name in ("smollm2-135m-instruct", "all-minilm-l6-v2"):
        store.pull(name)
    return store


class ChatServer:
    """An API of OpenAI's protocol over the null engine, which misbehaves when the last message says so.

    `status NNN` answers with that status, `silence` never answers, `stall` stops after its first chunk, `break`
    drops the connection after it, `garbage` is no JSON. `idle` is set while no stream is open.
    """

    def __init__(self) -> None:
        self.idle = threading.Event()
        self.url = ""

    async def answer(self, request: Request) -> Response:
        """Serve one chat completion."""
        body = await request.json()
        order = body["messages"][-1]["content"]
        if order.startswith("status "):
            return JSONResponse({"error": {"message": "as ordered"}}, int(order.split()[1]))
        if order == "silence":
            await asyncio.sleep(30)
        if order == "garbage":
            return PlainTextResponse(
                "data: {no json\n\n", media_type="text/event-stream" if body.get("stream") else None
            )
        try:
            if body.get("stream"):
                stream = await NullEngine().stream(body)
                return StreamingResponse(self._events(stream.chunks, order), media_type="text/event-stream")
            return JSONResponse((await NullEngine().complete(body)).body)
        except EngineRejected as problem:
            return JSONResponse({"error": {"message": problem.message}}, 400)

    async def _events(self, chunks: AsyncIterator[Any], order: str) -> AsyncIterator[bytes]:
        self.idle.clear()
        try:
            async for chunk in chunks:
                yield b"data: " + orjson.dumps(chunk) + b"\n\n"
                if order == "stall":
                    await asyncio.sleep(30)
                if order == "break":
                    raise ConnectionAbortedError("as ordered")
            yield b"data: [DONE]\n\n"
        finally:
            self.idle.set()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve the app on a port of its own, in a thread of its own; gives its URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", lifespan="off"))
    # Bound here, so that the port is known before the server runs; connections wait until it does.
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(30)
    listener.close()


@pytest.fixture(scope="session")
def chat_server() -> Iterator[ChatServer]:
    """A running `ChatServer`."""
    chat = ChatServer()
    with served(Starlette(routes=[Route("/v1/chat/completions", chat.answer, methods=["POST"])])) as url:
        chat.url = f"{url}/v1"
        yield chat


@dataclass(frozen=True, slots=True)
class Foreign:
    """A running foreign system, and where it listens."""

    server: ForeignServer
    url: str


@pytest.fixture(scope="session")
def foreign() -> Iterator[Foreign]:
    """The order system, help desk and procurement of somebody else."""
    server = ForeignServer()
    with served(server.app()) as url:
        yield Foreign(server, url)


@pytest.fixture(scope="session")
def dsns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A migrated database of each kind, for the whole session: its tests are tenants of their own."""
    folder = tmp_path_factory.mktemp("systems")
    with asyncio.Runner() as runner:
        open_ = {kind: throwaway(kind, folder) for kind in KINDS}
        yield {kind: runner.run(database.__aenter__()) for kind, database in open_.items()}
        for database in open_.values():
            runner.run(database.__aexit__(None, None, None))


@pytest.fixture(params=FORMS)
async def systems(request: pytest.FixtureRequest, dsns: Mapping[str, str], foreign: Foreign) -> AsyncIterator[Held]:
    """The three systems, in each of their forms."""
    foreign.server.moods.clear()
    async with held(request.param, dsns, foreign.server, foreign.url) as made:
        yield made
