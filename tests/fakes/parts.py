"""The gateway's parts as deterministic fakes, for tests of the HTTP surface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.feedback import FeedbackStore
from agents.hands import ToolHands
from agents.reconciling import Reconciling
from app.anomalies.served import ServedAnomalies
from app.demand.served import ServedForecasts
from app.drift.alerting import Alerts
from app.drift.watching import Watch
from app.engines.protocol import Engine
from app.engines.trial import TrialEngine
from app.federated.federated import Federated
from app.feedback import FeedbackDesk
from app.field_reports.reports import FieldReports
from app.fraud.served import ServedFraud
from app.fraud.trials import FraudTrials
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
from app.tabular import OWN, Tabular
from app.tasks.served import ServedTasks
from app.tools import open_tools
from app.trials.ratings import Ratings
from app.trials.trials import Trials
from app.workspace import snapshot_folder
from core.audit import Audit
from core.database import Database
from core.identity import Identity
from core.registry import Registry
from core.settings import Settings
from core.types import (
    Answer,
    Citation,
    Principal,
    TextDelta,
    Turn,
    Usage,
    Verdict,
)
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures
from retrieval.index.layout import Layout
from tabular.fraud.live import LiveFraud
from tests.fakes.company import FakeCompany
from tests.fakes.echoing import MODEL, EchoEngine
from tests.fakes.field_senses import FieldSenses
from tests.fakes.graphs import steps_assistant
from tests.fakes.holdings import HashEmbeddings, MemoryDocuments, OneGeneration, OneSearch
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
    from agents.decisions import Approval
    from agents.suggesting import Suggesting
    from app.wiring import Wayside

COMPANY = "harbor"
"""The tenant whose company it is."""
SENTENCE = "You can return a tent within 30 days. [1]"


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
        self.tools = open_tools(
            self.database,
            self.systems,
            self.search,
            self.settings.policy,
            recommender=served,
            forecaster=self.forecasts,
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
        return ServedFraud(self.database, self.trials.registry, self.settings.fraud, COMPANY)

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
        return Federated.of(self.database, self.trials.registry, OWN)

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
            fraud_trials=FraudTrials(self.database, self.trials.registry, self.fraud_model),
            payments=(),
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
