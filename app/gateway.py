"""The gateway: one FastAPI application around the parts that `app/wiring.py` made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from app import errors
from app.accounts import Accounts
from app.api import (
    approvals,
    audit,
    chat,
    documents,
    embeddings,
    health,
    keys,
    models,
    orders,
    purchase_orders,
    search,
    tickets,
)
from app.api.chat_request import WAYSIDE
from app.api.langgraph import assistants as langgraph_assistants
from app.api.langgraph import crons as langgraph_crons
from app.api.langgraph import runs as langgraph_runs
from app.api.langgraph import store as langgraph_store
from app.api.langgraph import threads as langgraph_threads
from app.auth import Authentication
from app.bodies import Bodies
from app.engines.fallback import FallbackEngine
from app.idempotency import Idempotency
from app.limits import Limits, RateLimit
from app.metering import Metering
from app.metrics import Metrics
from app.replay import Replay
from app.requests import Requests
from app.runs.workers import Workers
from app.telemetry import Telemetry, otlp
from app.tools import keep_finishing
from core.audit import Audit
from core.types import Answer, Principal
from retrieval.jobs import Jobs

if TYPE_CHECKING:
    from app.wiring import Wayside

DESCRIPTION = """
The backend of a mobile app that talks, sees and acts.

`/v1` speaks OpenAI's protocol: the model `wayside` is the agent, every other model is an engine's. `/assistants`,
`/threads`, `/runs` and `/store` speak that of `langgraph-sdk`. `/api` is our own.
Every error has the same body (`ErrorBody`); every answer has an `x-request-id`. Any POST takes an `Idempotency-Key`.
"""


def create_app(wayside: Wayside, spans: SpanExporter | None = None) -> FastAPI:
    """The application. Its lifespan must run: it writes the usage in batches, and the rest of it at the end.

    Traces go to `spans`, or else to the collector of the settings, or else nowhere.
    """
    settings = wayside.settings
    collector = str(settings.otlp_endpoint) if settings.otlp_endpoint else None
    metrics, telemetry = Metrics(), Telemetry(spans or otlp(collector))
    metering = Metering(wayside.database)
    limits = Limits(settings.limits, settings.redis_url, metering.tokens_today)
    accounts = Accounts(limits, metering, metrics)
    characters = settings.limits.message_characters
    for engine in set(wayside.engines.values()):
        if isinstance(engine, FallbackEngine):
            metrics.watch_breaker(engine.breaker)

    async def book(principal: Principal, piece: object) -> None:
        if isinstance(piece, Answer):
            await accounts.book_run(principal, WAYSIDE, piece.engine, piece.usage)

    workers = Workers(wayside.runs, book)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background = {
            asyncio.create_task(metering.run()),
            asyncio.create_task(workers.run()),
            asyncio.create_task(keep_finishing(wayside.tools.acting)),
        }
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.wait(background)
            await metering.flush()
            await asyncio.to_thread(telemetry.close)

    app = FastAPI(
        title="Wayside",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        telemetry=telemetry.fastapi,
        redirect_slashes=False,
    )
    for router in (
        chat.routes(wayside, accounts, telemetry),
        models.routes(wayside.engines, settings.embedding_model),
        embeddings.routes(wayside.embeddings, settings.embedding_model, characters, accounts, telemetry),
        documents.routes(wayside.documents, settings.limits.upload_bytes),
        search.routes(wayside.search),
        tickets.routes(wayside.tools, wayside.systems.help_desk),
        orders.routes(wayside.tools, wayside.systems.orders),
        purchase_orders.routes(wayside.tools, wayside.systems.procurement),
        approvals.routes(wayside.tools, wayside.assistant),
        keys.routes(wayside.identity),
        audit.routes(Audit(wayside.database)),
        langgraph_assistants.routes(wayside.runs.assistants),
        langgraph_crons.routes(wayside.runs),
        langgraph_runs.routes(wayside.runs),
        langgraph_threads.routes(wayside.runs),
        langgraph_store.routes(wayside.store),
        health.routes(wayside.database, metrics, Jobs(wayside.database).unfinished),
    ):
        app.include_router(router)
    # From the inside out: what is added last sees a request first.
    app.add_middleware(Replay, idempotency=Idempotency(wayside.database))
    app.add_middleware(RateLimit, limits=limits)
    app.add_middleware(Authentication, identity=wayside.identity)
    app.add_middleware(Bodies, limits=settings.limits)
    app.add_middleware(errors.Errors)
    app.add_middleware(Requests, metrics=metrics)
    errors.install(app)
    return app
