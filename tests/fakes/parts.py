"""The gateway's parts as deterministic fakes, for tests of the HTTP surface."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.feedback import FeedbackStore
from agents.hands import ToolHands
from agents.reconciling import Reconciling
from app.anomalies.served import ServedAnomalies
from app.demand.served import ServedForecasts
from app.drift.alerting import Alerts
from app.drift.watching import Watch
from app.engines.protocol import Completion, CompletionStream, Engine
from app.engines.trial import TrialEngine
from app.federated.federated import Federated
from app.feedback import FeedbackDesk
from app.field_reports.reports import FieldReports
from app.fraud.served import ServedFraud
from app.observing import Observing
from app.recommend.opening import Recommending, open_recommending
from app.runs.assistants import Assistants
from app.runs.runs import Runs
from app.segments.served import ServedSegments
from app.senses import Senses
from app.snapshots import Snapshots
from app.store import Store
from app.subject import subject
from app.systems import Systems
from app.tabular import Tabular
from app.tasks.served import ServedTasks
from app.tools import open_tools
from app.trials.ratings import Ratings
from app.trials.trials import Trials
from app.workspace import snapshot_folder
from core.audit import Audit
from core.database import Database
from core.errors import InvalidInput, NotFound, UnreadableDocument
from core.identity import Identity
from core.registry import Registry
from core.settings import Settings
from core.types import (
    Answer,
    Audience,
    Beside,
    Citation,
    Findings,
    Hit,
    Passage,
    Principal,
    Scope,
    TextDelta,
    Turn,
    Usage,
    Verdict,
)
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures
from retrieval.documents import Document
from retrieval.index.layout import Layout
from retrieval.migrate import Generation
from retrieval.tables import DocumentStatus
from tabular.fraud.live import LiveFraud
from tests.fakes.company import FakeCompany
from tests.fakes.field_senses import FieldSenses
from tests.fakes.graphs import steps_assistant
from tests.fakes.index import FakeIndex
from tests.fakes.senses import scripted
from tests.fakes.speaker import HummingSpeaker
from tests.fakes.speaking import speaking_assistant
from tests.fakes.systems import FakeHelpDesk, FakeOrders, FakeProcurement
from tests.fakes.text_reader import FakeTextReader
from tests.fakes.transcriber import FakeTranscriber
from tests.fakes.turns import FakeTurns
from tests.fakes.variants import ScriptedOpener

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from agents.decisions import Approval
    from agents.suggesting import Suggesting
    from app.wiring import Wayside
    from core.types import Vector

COMPANY = "harbor"
"""The tenant whose company it is."""
MODEL = "echo-1"
EMBEDDING_MODEL = "hash-4"
SENTENCE = "You can return a tent within 30 days. [1]"


class EchoEngine:
    """Says the last message back, word by word. `failure` is raised instead; `pace` is the seconds between words."""

    def __init__(self) -> None:
        self.name = "null"
        self.models = (MODEL,)
        self.requests: list[Mapping[str, Any]] = []
        self.failure: BaseException | None = None
        self.failure_after: int | None = None
        self.pace = 0.0
        self.stopped = asyncio.Event()

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        try:
            if self.pace:
                await asyncio.sleep(self.pace)
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        text = _text(request)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return Completion(self.name, {**_head("chat.completion"), "choices": [choice], "usage": _usage(text)})

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        self.requests.append(request)
        if self.failure is not None and self.failure_after is None:
            raise self.failure
        return CompletionStream(self.name, self._chunks(_text(request)))

    async def close(self) -> None:
        pass

    async def _chunks(self, text: str) -> AsyncIterator[dict[str, Any]]:
        try:
            for number, word in enumerate(text.split(" ")):
                if number == self.failure_after and self.failure is not None:
                    raise self.failure
                delta = {"content": word if number == 0 else " " + word}
                choice = {"index": 0, "delta": delta, "finish_reason": None}
                yield {**_head("chat.completion.chunk"), "choices": [choice]}
                await asyncio.sleep(self.pace)
            finish = {"index": 0, "delta": {}, "finish_reason": "stop"}
            yield {**_head("chat.completion.chunk"), "choices": [finish]}
            yield {**_head("chat.completion.chunk"), "choices": [], "usage": _usage(text)}
        finally:
            self.stopped.set()


class FixedAssistant:
    """Answers everything with one cited text, and remembers its turns."""

    def __init__(self) -> None:
        self.text = SENTENCE
        self.turns: list[Turn] = []
        self.marks: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.pace = 0.0

    async def answer(self, turn: Turn) -> Answer:
        self.turns.append(turn)
        if self.failure is not None:
            raise self.failure
        await asyncio.sleep(self.pace)
        quote = "within 30 days"
        citation = Citation(1, "doc-1", "Returns", ("Tents",), quote, 20, 34, 0.75, Verdict.VERBATIM)
        return Answer(turn.thread_id, self.text, (citation,), False, "embedded", Usage(12, 9))

    async def heard(self, principal: Principal, thread_id: str, said: str, heard: str) -> bool:
        self.marks.append((said, heard))
        return True

    async def close(self) -> None:
        pass

    async def stream(self, turn: Turn) -> AsyncIterator[TextDelta | Answer]:
        answer = await self.answer(turn)
        for word in answer.text.split(" "):
            yield TextDelta(word + (" " if word != "[1]" else ""))
        yield answer


class SilentNews:
    """Remembers what it was to tell."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, approval: Approval) -> None:
        self.told.append(approval.id)

    async def run(self) -> None:
        await asyncio.Event().wait()


class OneSearch:
    """Finds one passage, whatever is asked."""

    async def search(self, query: str, scope: Scope, limit: int = 10, beside: Beside | None = None) -> Findings:
        passage = Passage("doc-1", "Returns", ("Tents",), "You can return a tent within 30 days.", 0, 37, 0)
        return Findings((Hit(passage, 0.75),), 0.9)


class HashEmbeddings:
    """Unit vectors of four dimensions, from a hash of the text."""

    dimensions = 4
    fingerprint = "hash"

    async def aembed_query(self, text: str) -> list[float]:
        row: list[float] = (await self.aembed([text]))[0].tolist()
        return row

    async def aembed(self, texts: Sequence[str]) -> Vector:
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest()[:4], np.uint8) for text in texts]
        vectors = np.array(rows, np.float32) + 1
        return cast("Vector", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(text.split()) for text in texts)


@dataclass
class MemoryDocuments:
    """Documents in a dictionary, ready as soon as they are added."""

    rows: dict[tuple[str, str], Document] = field(default_factory=dict)
    added: int = 0

    async def add(
        self,
        tenant: str,
        filename: str,
        content: bytes,
        *,
        source: str | None = None,
        audience: Audience = Audience.PUBLIC,
        declared_type: str | None = None,
    ) -> Document:
        if not filename:
            raise InvalidInput("no filename", param="filename")
        if b"\0" in content:
            raise UnreadableDocument("this is no text", param="file")
        self.added += 1
        digest = hashlib.sha256((source or filename).encode()).hexdigest()
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        document = Document(
            id="doc_" + digest[:20],
            source=source or filename,
            filename=filename,
            title=filename,
            media_type=declared_type,
            audience=audience,
            sha256=digest,
            bytes=len(content),
            characters=len(content),
            passages=1,
            status=DocumentStatus.READY,
            error=None,
            revision=1,
            created_at=moment,
            updated_at=moment,
            done=1,
            total=1,
        )
        self.rows[tenant, document.id] = document
        return document

    async def get(self, tenant: str, document_id: str) -> Document:
        if (tenant, document_id) not in self.rows:
            raise NotFound(f"no document {document_id}", param="document_id")
        return self.rows[tenant, document_id]

    async def list(self, tenant: str, limit: int = 100, after: str | None = None) -> list[Document]:
        mine = sorted((row for (owner, _), row in self.rows.items() if owner == tenant), key=lambda row: row.id)
        return [row for row in mine if after is None or row.id > after][:limit]

    async def reindex(self, tenant: str, document_id: str) -> Document:
        row = await self.get(tenant, document_id)
        self.rows[tenant, document_id] = replace(row, status=DocumentStatus.QUEUED, done=0, total=4)
        return self.rows[tenant, document_id]

    async def delete(self, tenant: str, document_id: str) -> None:
        await self.get(tenant, document_id)
        del self.rows[tenant, document_id]


@dataclass
class OneGeneration:
    """The only index there ever is."""

    embeddings: HashEmbeddings
    index: FakeIndex

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        yield Generation("hash", cast("Embeddings", self.embeddings), self.index)


@dataclass
class Parts:
    """What a `Wayside` has, made of fakes, around a real database."""

    settings: Settings
    database: Database
    identity: Identity
    saver: BaseCheckpointSaver[Any]
    echo: EchoEngine = field(default_factory=EchoEngine)
    assistant: FixedAssistant = field(default_factory=FixedAssistant)
    observing: Observing = field(default_factory=scripted)
    embeddings: HashEmbeddings = field(default_factory=HashEmbeddings)
    search: OneSearch = field(default_factory=OneSearch)
    documents: MemoryDocuments = field(default_factory=MemoryDocuments)
    acts: list[str] = field(default_factory=list)
    acted_for: list[str | None] = field(default_factory=list)
    companies: dict[str, FakeCompany] = field(default_factory=dict)
    turns: FakeTurns = field(default_factory=FakeTurns)
    scripts: dict[str, list[Any]] = field(default_factory=dict)
    speaker: HummingSpeaker = field(default_factory=HummingSpeaker)
    transcriber: FakeTranscriber = field(default_factory=FakeTranscriber)
    field_senses: FieldSenses = field(default_factory=FieldSenses)
    index: FakeIndex = field(default_factory=lambda: FakeIndex(Layout(size=4)))
    variants: ScriptedOpener = field(default_factory=ScriptedOpener)

    def __post_init__(self) -> None:
        companies = self.companies
        self.systems = Systems(FakeHelpDesk(companies), FakeOrders(companies), FakeProcurement(companies))
        self.news = SilentNews()
        gate = MediaGate(self.settings.media)
        self.senses = Senses(
            gate,
            RemotePictures(self.settings.media, gate),
            self.transcriber,
            self.speaker,
            FakeTextReader(),
        )
        served = self.recommending.served
        self.tools = open_tools(self.database, self.systems, self.search, self.settings.policy, recommender=served)
        self.tools = open_tools(
            self.database, self.systems, self.search, self.settings.policy, forecaster=self.forecasts
        )
        store = FeedbackStore(self.database, Audit(self.database))
        self.feedback = FeedbackDesk(store, self.turns, self.systems.help_desk)

    @cached_property
    def suggesting(self) -> Suggesting:
        # The fakes of the assistant are made of these.
        from tests.fakes.assistant import make_suggesting

        return make_suggesting(self.systems, ToolHands(self.tools.toolbox, self.tools.acting))

    @cached_property
    def field_reports(self) -> FieldReports:
        senses = self.field_senses.senses(self.settings.media)
        return FieldReports(self.database, self.settings.workspace, senses)

    @cached_property
    def snapshots(self) -> Snapshots:
        folder = snapshot_folder(self.settings.workspace)
        return Snapshots(self.documents, OneGeneration(self.embeddings, self.index), folder)

    @cached_property
    def reconciling(self) -> Reconciling:
        return Reconciling(self.database, ToolHands(self.tools.toolbox, self.tools.acting))

    @property
    def voice(self) -> FixedAssistant:
        return self.assistant

    @property
    def engines(self) -> Mapping[str, Engine]:
        return {MODEL: self.trials.engine}

    @cached_property
    def trials(self) -> Trials:
        front = TrialEngine(cast("Engine", self.echo), shadows=self.settings.registry.shadows)
        registry = Registry.of(self.database, self.settings.workspace)
        return Trials(registry, front, self.variants.openers, Ratings(self.database), self.settings.registry)

    @cached_property
    def fraud_model(self) -> ServedFraud:
        return ServedFraud(self.database, self.trials.registry, self.settings.fraud)

    @cached_property
    def tasks(self) -> ServedTasks:
        return ServedTasks(self.trials.registry)

    @cached_property
    def segments(self) -> ServedSegments:
        return ServedSegments(self.trials.registry, self.systems.orders, tenant=COMPANY)

    @cached_property
    def anomalies(self) -> ServedAnomalies:
        return ServedAnomalies(self.trials.registry, tenant=COMPANY)

    @cached_property
    def forecasts(self) -> ServedForecasts:
        return ServedForecasts(self.trials.registry, self.systems.procurement, self.settings, tenant="default")

    @cached_property
    def drift(self) -> Watch:
        return Watch(self.database, self.trials.registry, self.settings.drift)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(self.database, self.settings.drift, self.drift.kept, poll=0.05)

    @cached_property
    def federated(self) -> Federated:
        return Federated.of(self.database, self.trials.registry)

    @cached_property
    def fraud(self) -> LiveFraud:
        return LiveFraud(self.database, self.fraud_model.scorer)

    @cached_property
    def recommending(self) -> Recommending:
        orders, procurement, registry = self.systems.orders, self.systems.procurement, self.trials.registry
        return open_recommending(self.database, orders, procurement, registry, self.embeddings, self.settings, COMPANY)

    @cached_property
    def tabular(self) -> Tabular:
        return Tabular(
            settings=self.settings,
            fraud=self.fraud,
            fraud_model=self.fraud_model,
            payments=None,
            tasks=self.tasks,
            segments=self.segments,
            anomalies=self.anomalies,
            forecasts=self.forecasts,
            recommending=self.recommending,
            drift=self.drift,
            alerts=self.alerts,
            federated=self.federated,
        )

    @cached_property
    def runs(self) -> Runs:
        async def act(what: str) -> None:
            self.acts.append(what)
            self.acted_for.append(subject())

        assistants = Assistants(steps_assistant(self.saver, act), speaking_assistant(self.saver, self.scripts))
        return Runs(self.database, assistants, self.saver, sole=True, poll=0.05)

    @property
    def store(self) -> Store:
        return Store(self.database)

    @property
    def wayside(self) -> Wayside:
        return cast("Wayside", self)


def _text(request: Mapping[str, Any]) -> str:
    content = request["messages"][-1].get("content") or ""
    return content if isinstance(content, str) else " ".join(part["text"] for part in content)


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL}


def _usage(text: str) -> dict[str, int]:
    words = len(text.split())
    return {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}
