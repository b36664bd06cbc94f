"""Builds the gateway out of its parts, and takes it apart again. The only place that chooses adapters."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from rich.console import Console

from agents.actions import Actions
from agents.consulting import Consulting
from agents.feedback import FeedbackStore
from agents.graph import build_assistant
from agents.hands import ToolHands
from agents.knowledge import KnowledgePolicy
from agents.reception import Reception
from agents.reconciling import Reconciling
from agents.router import Router
from agents.suggesting import Suggesting
from agents.systems.builtin.customers import BuiltinNames
from agents.triage import Triage
from app.assistant import PATIENCE, Assistant
from app.attachments import Attachments
from app.checkpoints import open_checkpoints
from app.demo.loading import load_demo
from app.engines.chat_model import EngineChat
from app.engines.choice import open_engine
from app.engines.protocol import Engine
from app.engines.silent import SilentEngine
from app.engines.trial import TrialEngine
from app.feedback import FeedbackDesk
from app.field_reports.reports import FieldReports
from app.mcp import open_servers
from app.mirrors import open_mirror
from app.news import News
from app.observing import Observing
from app.runs.assistants import Assistants
from app.runs.runs import Runs
from app.runs.wayside import WAYSIDE, wayside_assistant
from app.senses import Senses, open_senses
from app.snapshots import Snapshots
from app.store import Store
from app.systems import Systems, open_systems
from app.tabular import Tabular, open_tabular
from app.tools import Tools, open_tools
from app.trials.opening import openers
from app.trials.ratings import Ratings
from app.trials.trials import Trials
from app.workspace import KEY_FILE, TENANT, admin_key, first_key, own_weights, owning, snapshot_folder
from core.audit import Audit
from core.database import Database
from core.identity import Identity
from core.modelstore import ModelStore
from core.ports import PassageSearch
from core.registry import Registry
from core.settings import Settings
from retrieval.documents import Documents
from retrieval.embed.onnx import OnnxEmbeddings
from retrieval.encode import TEXT
from retrieval.index import PassageStore
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.ingest import Ingestion
from retrieval.jobs import Jobs
from retrieval.migrate import Generation, Generations
from retrieval.readers import ReadLimits
from retrieval.search import HybridSearch

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")


@dataclass(frozen=True, slots=True)
class Wayside:
    """Everything a request may need, ready to use.

    `engines` maps each model name of `/v1/models` (but `wayside`) to the engine that serves it. `voice` is the
    assistant on the same threads for who is spoken to: it does not wait for the embedded model to write.
    """

    settings: Settings
    database: Database
    identity: Identity
    engines: Mapping[str, Engine]
    assistant: Assistant
    voice: Assistant
    senses: Senses
    observing: Observing
    runs: Runs
    news: News
    store: Store
    embeddings: OnnxEmbeddings
    search: PassageSearch
    documents: Documents
    ingestion: Ingestion
    generations: Generations
    systems: Systems
    tools: Tools
    feedback: FeedbackDesk
    suggesting: Suggesting
    field_reports: FieldReports
    snapshots: Snapshots
    reconciling: Reconciling
    trials: Trials
    tabular: Tabular


@asynccontextmanager
async def open_wayside(settings: Settings, console: Console | None = None) -> AsyncIterator[Wayside]:
    """Open the workspace and everything in it; `console` is told what takes long.

    Raises `WorkspaceInUse` when another process owns the workspace, `NotFound` when a model has not been pulled,
    `MissingExtra` when a setting needs a package that is not installed. Whatever was opened is closed again.
    """
    settings.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        stack.enter_context(owning(settings.workspace))
        database = Database(settings.database_dsn)
        stack.push_async_callback(database.close)
        store = ModelStore()
        # Each of the three works outside of Python for most of its time, so they share the wait.
        _, embeddings, (engine, engines) = await _all(
            database.migrate(), _open_embeddings(settings, store, stack), open_engine(settings, store, stack)
        )
        engine, engines, trials = _trying(settings, database, store, engine, engines)
        await trials.refresh()
        stack.push_async_callback(trials.close)
        identity = Identity(database)
        if await first_key(settings.workspace, identity) and console is not None:
            console.print(f"The admin's key, kept in {settings.workspace / KEY_FILE}: {admin_key(settings.workspace)}")

        jobs = Jobs(database)
        generations = await _open_generations(settings, database, jobs, embeddings, store)
        stack.push_async_callback(generations.close)
        limits = ReadLimits(bytes=settings.limits.upload_bytes, characters=settings.limits.document_characters)
        search = HybridSearch(generations)
        documents = Documents(database, jobs, generations, limits=limits)
        # On SQLite this process is the only one; on a shared database others may be at work as well.
        ingestion = Ingestion(database, jobs, generations, limits=limits, sole=settings.database_url is None)
        await ingestion.start()
        stack.push_async_callback(ingestion.stop)

        checkpoints = await stack.enter_async_context(open_checkpoints(settings.database_dsn))
        # The embedded model writes, but hardly understands; a primary engine is given more room.
        policy = KnowledgePolicy(relevance=settings.engine.relevance) if settings.engine.url else KnowledgePolicy()
        systems = open_systems(settings.systems, database, stack)
        servers = open_servers(settings.mcp, stack)
        tabular = await open_tabular(settings, database, trials.registry, systems, embeddings, stack)
        tools = open_tools(
            database,
            systems,
            search,
            settings.policy,
            suppliers=servers,
            recommender=tabular.recommending.served,
            forecaster=tabular.forecasts,
        )
        hands = ToolHands(tools.toolbox, tools.acting)
        own = own_weights(settings.workspace)
        if console is not None and (heads := sorted(path.stem for path in own.glob("*.npz"))):
            console.print(f"The workspace's own feedback taught: {', '.join(heads)}")
        reception = Reception(Router.shipped(embeddings, own), Actions.shipped(embeddings, own))
        triage = Triage.shipped(embeddings, own)
        # Of 60 replies the embedded model changed one, for the worse, and took thirteen times as long.
        writer = EngineChat(engine if settings.engine.url else SilentEngine())
        graph, spoken = (
            build_assistant(model, search, embeddings, reception, triage, hands, checkpoints, policy)
            for model in (EngineChat(engine), writer)
        )
        senses = open_senses(settings, store, stack)
        observing = Observing(senses, Attachments())
        characters = settings.limits.message_characters
        assistants = Assistants(wayside_assistant(graph, characters=characters, observing=observing))
        runs = Runs(database, assistants, checkpoints, sole=settings.database_url is None)
        holding = partial(runs.writers.held, assistant_id=WAYSIDE, patience=PATIENCE, beside_later=True)
        assistant, voice = (
            Assistant(each, reception, hands, holding=holding, note=runs.timelines.record) for each in (graph, spoken)
        )
        consulting = Consulting(writer, search, embeddings, policy)
        suggesting = Suggesting(systems.help_desk, BuiltinNames(database), triage, reception, hands, consulting)
        wayside = Wayside(
            settings=settings,
            database=database,
            identity=identity,
            engines=engines,
            assistant=assistant,
            voice=voice,
            senses=senses,
            observing=observing,
            runs=runs,
            news=News(runs, tools.acting, tools.approvals),
            store=Store(database),
            embeddings=embeddings,
            search=search,
            documents=documents,
            ingestion=ingestion,
            generations=generations,
            systems=systems,
            tools=tools,
            feedback=FeedbackDesk(FeedbackStore(database, Audit(database)), runs.timelines, systems.help_desk),
            suggesting=suggesting,
            field_reports=FieldReports(database, settings.workspace, senses),
            snapshots=Snapshots(documents, generations, snapshot_folder(settings.workspace)),
            reconciling=Reconciling(database, hands),
            trials=trials,
            tabular=tabular,
        )
        if settings.demo:
            await load_demo(database, documents, ingestion, TENANT, console)
        yield wayside


async def _all(
    first: Awaitable[First], second: Awaitable[Second], third: Awaitable[Third]
) -> tuple[First, Second, Third]:
    """Await the three side by side; when one fails the others end first, so that what they open gets closed."""
    results = await asyncio.gather(first, second, third, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("tuple[First, Second, Third]", tuple(results))


def _trying(
    settings: Settings, database: Database, store: ModelStore, engine: Engine, engines: Mapping[str, Engine]
) -> tuple[Engine, Mapping[str, Engine], Trials]:
    """Put the engine that runs here behind one that serves registered versions and tries them.

    A remote primary engine is not ours to replace: then only who asks for the embedded model by name meets them.
    """
    base = next(each for each in engines.values() if each.name != "primary")
    front = TrialEngine(base, shadows=settings.registry.shadows)
    registry = Registry.of(database, settings.workspace, open_mirror(settings.registry))
    trials = Trials(registry, front, openers(settings.embedded, store), Ratings(database), settings.registry)
    served = {name: front if each is base else each for name, each in engines.items()}
    return front if engine is base else engine, served, trials


async def _open_embeddings(settings: Settings, store: ModelStore, stack: AsyncExitStack) -> OnnxEmbeddings:
    embeddings = await asyncio.to_thread(lambda: OnnxEmbeddings(store.path(settings.embedding_model)))
    stack.callback(embeddings.close)
    return embeddings


async def _open_generations(
    settings: Settings, database: Database, jobs: Jobs, embeddings: OnnxEmbeddings, store: ModelStore
) -> Generations:
    """The index of the configured embedding model; an index of another model goes on serving until it is moved."""
    layout = Layout((TEXT,), embeddings.dimensions)
    folder = settings.workspace / "index"

    async def open_(fingerprint: str, model: str) -> Generation:
        own = fingerprint == embeddings.fingerprint
        speaker = embeddings if own else await asyncio.to_thread(lambda: OnnxEmbeddings(store.path(model)))
        return Generation(fingerprint, speaker, await _open_index(settings, folder / fingerprint, layout))

    async def remove(fingerprint: str) -> None:
        if settings.qdrant_url is None:
            await asyncio.to_thread(shutil.rmtree, folder / fingerprint, ignore_errors=True)
        else:
            client = _qdrant(settings)
            await client.delete_collection(fingerprint)
            await client.close()

    generations = Generations(database, jobs, open_, remove)
    await generations.start(embeddings.fingerprint, settings.embedding_model)
    return generations


async def _open_index(settings: Settings, folder: Path, layout: Layout) -> PassageStore:
    if settings.qdrant_url is None:
        return await EdgeIndex.open(folder, layout)
    # The client of a Qdrant server takes a second to import, so only those who have a server wait for it.
    from retrieval.index.server import ServerIndex

    return await ServerIndex.open(_qdrant(settings), folder.name, layout)


def _qdrant(settings: Settings) -> AsyncQdrantClient:
    from qdrant_client import AsyncQdrantClient

    key = settings.qdrant_api_key
    return AsyncQdrantClient(url=str(settings.qdrant_url), api_key=key.get_secret_value() if key else None)
