"""The gateway: one FastAPI application around the parts that `app/wiring.py` made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from app import errors, logs
from app.accounts import Accounts
from app.api import (
    anomalies,
    approvals,
    audio,
    audit,
    bundles,
    chat,
    console,
    documents,
    drift,
    embeddings,
    evaluations,
    federated,
    feedback,
    field_reports,
    forecasts,
    fraud,
    fraud_rules,
    health,
    keys,
    mcp,
    me,
    models,
    orders,
    pictures,
    purchase_orders,
    recommendations,
    registry,
    search,
    segments,
    speech,
    suggestions,
    sync,
    tasks,
    threads,
    tickets,
    timelines,
    tools,
)
from app.api.langgraph import assistants as langgraph_assistants
from app.api.langgraph import crons as langgraph_crons
from app.api.langgraph import runs as langgraph_runs
from app.api.langgraph import store as langgraph_store
from app.api.langgraph import threads as langgraph_threads
from app.api.realtime import surface as realtime
from app.api.responses import surface as responses
from app.auth import Authentication
from app.bodies import Bodies
from app.engines.fallback import FallbackEngine
from app.evaluations import Evaluations
from app.field_reports.making import Maker
from app.idempotency import Idempotency
from app.limits import Limits, RateLimit
from app.metering import Metering
from app.metrics import Metrics
from app.replay import Replay
from app.requests import Requests
from app.retraining import Retraining
from app.runs.wayside import WAYSIDE
from app.runs.workers import Workers
from app.telemetry import Telemetry, otlp
from app.workspace import TENANT, shelf
from core.audit import Audit
from core.types import Answer, Principal
from edge.shelf import Shelf
from retrieval.jobs import Jobs
from tabular.fraud.decisions import Decisions
from tabular.fraud.features import FraudFeatures

if TYPE_CHECKING:
    from app.wiring import Wayside

DESCRIPTION = """
The backend of a mobile app that talks, sees and acts.

`/v1` speaks OpenAI's protocol: the model `wayside` is the agent, every other model is an engine's. `/assistants`,
`/threads`, `/runs` and `/store` speak that of `langgraph-sdk`, `/mcp` that of MCP clients. `/api` is our own.
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
    metrics.watch_trials(wayside.trials)
    metrics.watch_drift(wayside.tabular.drift)

    async def book(principal: Principal, piece: object) -> None:
        if isinstance(piece, Answer):
            await accounts.book_run(principal, WAYSIDE, piece.engine, piece.usage)

    workers = Workers(wayside.runs, book)
    endpoint = mcp.McpEndpoint(wayside.tools)
    maker = Maker(wayside.database, wayside.field_reports, sole=settings.database_url is None)

    retraining = Retraining(wayside.database, wayside.trials.registry, settings, metrics.retrained, tenant=TENANT)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background = {
            asyncio.create_task(metering.run()),
            asyncio.create_task(workers.run()),
            asyncio.create_task(wayside.runs.timelines.run()),
            asyncio.create_task(wayside.news.run()),
            asyncio.create_task(endpoint.run()),
            asyncio.create_task(maker.run()),
            asyncio.create_task(wayside.trials.run()),
            asyncio.create_task(retraining.run()),
            *(asyncio.create_task(each) for each in wayside.tabular.background()),
        }
        for task in background:
            task.add_done_callback(_ended)
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.wait(background)
            await wayside.assistant.close()
            await wayside.voice.close()
            await metering.flush()
            await wayside.runs.timelines.flush()
            await asyncio.to_thread(telemetry.close)

    app = FastAPI(
        title="Wayside",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        telemetry=telemetry.fastapi,
        redirect_slashes=False,
    )
    # Routes are looked through one after the other: what is asked most, and has least time, comes first.
    for router in (
        fraud.routes(wayside.tabular.fraud, Decisions(wayside.database), FraudFeatures.names),
        chat.routes(wayside, accounts, telemetry),
        responses.routes(wayside.runs, wayside.observing, characters),
        models.routes(wayside.engines, settings.embedding_model),
        registry.routes(wayside.trials, wayside.tabular.fraud_trials, TENANT),
        embeddings.routes(wayside.embeddings, settings.embedding_model, characters, accounts, telemetry),
        audio.routes(wayside.senses, settings, accounts),
        speech.routes(wayside.senses, speech.model_of(settings.speech), accounts),
        realtime.routes(wayside, accounts, limits),
        documents.routes(wayside.documents, settings.limits.upload_bytes),
        pictures.routes(wayside.senses, settings.media.picture_bytes),
        search.routes(wayside.search),
        tickets.routes(wayside.tools, wayside.systems.help_desk),
        suggestions.routes(wayside.suggesting, accounts),
        tools.routes(wayside.tools),
        orders.routes(wayside.tools, wayside.systems.orders),
        purchase_orders.routes(wayside.tools, wayside.systems.procurement),
        approvals.routes(wayside.tools, wayside.news),
        threads.routes(wayside.runs, wayside.tools.approvals),
        timelines.routes(wayside.runs.timelines),
        keys.routes(wayside.identity),
        me.routes(),
        audit.routes(Audit(wayside.database)),
        feedback.routes(wayside.feedback),
        field_reports.routes(wayside.field_reports),
        evaluations.routes(Evaluations(settings.workspace)),
        bundles.routes(Shelf(shelf(settings.workspace)), wayside.snapshots),
        sync.routes(wayside.reconciling),
        fraud_rules.routes(wayside.tabular.fraud_model.rulebook),
        tasks.routes(wayside.tabular.tasks),
        segments.routes(wayside.tabular.segments),
        anomalies.routes(wayside.tabular.anomalies),
        drift.routes(wayside.tabular.drift, TENANT),
        federated.routes(wayside.tabular.federated, TENANT),
        recommendations.routes(wayside.tabular.recommending),
        forecasts.routes(wayside.tools, wayside.systems.procurement, wayside.tabular.forecasts),
        mcp.routes(endpoint),
        langgraph_assistants.routes(wayside.runs.assistants),
        langgraph_crons.routes(wayside.runs),
        langgraph_runs.routes(wayside.runs),
        langgraph_threads.routes(wayside.runs),
        langgraph_store.routes(wayside.store),
        health.routes(wayside.database, metrics, Jobs(wayside.database).unfinished),
        console.routes(),
    ):
        # Not `include_router`, which looks at every route of every router twice for each request, prefix or not: with
        # these there are more than a hundred, and it took a third of the time of a short request.
        app.router.routes.extend(router.routes)
    # From the inside out: what is added last sees a request first.
    app.add_middleware(Replay, idempotency=Idempotency(wayside.database))
    app.add_middleware(RateLimit, limits=limits)
    app.add_middleware(Authentication, identity=wayside.identity)
    app.add_middleware(Bodies, limits=settings.limits, media=settings.media)
    app.add_middleware(errors.Errors)
    app.add_middleware(Requests, metrics=metrics)
    errors.install(app)
    return app


def _ended(task: asyncio.Task[None]) -> None:
    """Tell of background work that died: it is to go on for as long as the gateway does."""
    if not task.cancelled() and (problem := task.exception()) is not None:
        logs.logger.error("background work died", task=task.get_name(), **logs.describe(problem))
