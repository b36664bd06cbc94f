"""The gateway around fakes, with keys for everybody, called in process."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from app.checkpoints import open_checkpoints
from app.gateway import create_app
from core.database import Database
from core.identity import Identity
from core.settings import Settings
from core.types import Role
from tests.fakes.echoing import MODEL
from tests.fakes.holdings import EMBEDDING_MODEL
from tests.fakes.parts import COMPANY, Parts

TENANT = COMPANY
OTHER_TENANT = "rival"


@dataclass(frozen=True)
class Gateway:
    """A running gateway and how to call it. `keys` has one key for each role, and `stranger`'s, of another tenant."""

    parts: Parts
    app: FastAPI
    http: httpx2.AsyncClient
    keys: dict[str, str]

    async def call(self, method: str, path: str, *, role: str = "admin", **options: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.keys[role]}", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def chat(self, text: str = "hello there", *, model: str = MODEL, **options: Any) -> httpx2.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **options.pop("body", {})}
        return await self.call("POST", "/v1/chat/completions", json=body, **options)


@asynccontextmanager
async def gateway(workspace: Path, template: Path | None = None, **settings: Any) -> AsyncIterator[Gateway]:
    """Make the database (a copy of `template`, which is migrated already, if there is one) and the keys; start."""
    chosen = Settings(workspace=workspace, embedding_model=EMBEDDING_MODEL, **settings)
    database = Database(chosen.database_dsn)
    if template is None:
        await database.migrate()
    else:
        shutil.copy(template, workspace / "wayside.db")
    identity = Identity(database)
    keys = {role.value: (await identity.create(TENANT, role.value, role))[0] for role in Role}
    keys["stranger"], _ = await identity.create(OTHER_TENANT, "stranger", Role.ADMIN)
    async with open_checkpoints(database.dsn) as saver:
        parts = Parts(chosen, database, identity, saver)
        async with started(parts) as (app, http):
            yield Gateway(parts, app, http, keys)
    await database.close()


@asynccontextmanager
async def started(parts: Parts, spans: SpanExporter | None = None) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
    """Run the application's lifespan around the parts; yields it and a client that calls it in process."""
    app = create_app(parts.wayside, spans)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    client = httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=60)
    async with app.router.lifespan_context(app), client as http:
        yield app, http


@asynccontextmanager
async def listening(served: Gateway) -> AsyncIterator[str]:
    """The gateway behind uvicorn on a free local port, as `wayside serve` runs it; yields its base URL."""
    async with listening_on(served.app) as url:
        yield url


@asynccontextmanager
async def listening_on(app: FastAPI) -> AsyncIterator[str]:
    """An application behind uvicorn, its lifespan left to the caller; yields its base URL."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    bound = config.bind_socket()
    running = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        bound.close()
