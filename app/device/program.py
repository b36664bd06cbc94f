"""Composes the device: the agents' graph on the student, the snapshot and the outbox. No HTTP server is imported.

A question goes to the documents on the device, and what is to be done is noted down. What the documents do not answer
goes to the cloud where there is a network: that they answer it is a calibrated probability (`KnowledgePolicy`).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from agents import slots, telling
from agents.graph import build_assistant
from agents.knowledge import KnowledgePolicy
from agents.triage import Triage
from app.assistant import Assistant
from app.checkpoints import open_checkpoints
from app.device.hands import OutboxHands
from app.device.routing import student_reception
from app.engines.chat_model import EngineChat
from app.engines.protocol import Engine
from app.engines.silent import SilentEngine
from core.database import now
from core.errors import CorruptArtefact, GatewayUnreachable, MissingExtra, NotFound
from core.modelstore import ModelStore
from core.settings import Settings
from core.types import Answer, Message, Principal, Role, Turn, Usage
from edge.installing import Device
from edge.manifest import Manifest
from edge.outbox import Kept, Outbox
from edge.runtime import Opened, opened
from edge.syncing import Synced, Wire, synchronise
from retrieval.embed.onnx import OnnxEmbeddings
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.migrate import Generation
from retrieval.search import HybridSearch
from retrieval.snapshot import read_card

OUTBOX = "outbox.db"
ENGINE = "device"


class Cloud(Wire, Protocol):
    """The gateway, when there is a network."""

    def ask(self, thread: str, text: str) -> Answer:
        """The assistant's answer. Raises `GatewayUnreachable`."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The only generation there is on a device: see `retrieval.migrate.Reading`."""

    generation: Generation

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        yield self.generation


class DeviceProgram:
    """Answers, notes down, synchronises. Make one with `open_program`."""

    def __init__(
        self, manifest: Manifest, assistant: Assistant, principal: Principal, outbox: Outbox, cloud: Cloud | None
    ) -> None:
        self.manifest = manifest
        self._assistant = assistant
        self._principal = principal
        self._outbox = outbox
        self._cloud = cloud

    async def ask(self, text: str, thread: str = "device") -> Answer:
        """Answer on the device; what its documents do not answer, the cloud is asked, where there is a network.

        A yes or no that can only be meant for an intent which waits for one is taken for it. Raises `InvalidInput` for
        an empty text.
        """
        asked = await asyncio.to_thread(self._outbox.asking)
        agreed = slots.agrees(text)
        if asked and agreed is not None:
            return Answer(thread, await asyncio.to_thread(self._decided, asked[0], agreed), (), False, ENGINE, Usage())
        turn = Turn(self._principal, thread, (Message("user", text),), id=uuid.uuid4().hex)
        answer = await self._assistant.answer(turn)
        if not answer.declined or self._cloud is None:
            return answer
        try:
            return await asyncio.to_thread(self._cloud.ask, thread, text)
        except GatewayUnreachable:
            return answer

    async def synchronise(self, *, pause: Callable[[float], None] = time.sleep) -> Synced:
        """Send what waits and fetch the records. Raises `GatewayUnreachable`; what was heard until then is kept."""
        if self._cloud is None:
            raise GatewayUnreachable("this device was opened without a gateway")
        return await asyncio.to_thread(synchronise, self._outbox, self._cloud, pause=pause)

    def pending(self) -> Sequence[Kept]:
        """The intents that have not come to an end."""
        return [each for each in self._outbox.all() if not each.ended]

    def decide(self, intent: uuid.UUID, *, agreed: bool) -> None:
        """Say yes or no to what is asked about an intent. Raises `NotFound` and `Conflict`."""
        if agreed:
            self._outbox.confirm(intent)
        else:
            self._outbox.drop(intent)

    def _decided(self, kept: Kept, agreed: bool) -> str:
        what = telling.proposal(kept.intent.tool, kept.intent.arguments)
        self.decide(kept.intent.id, agreed=agreed)
        if agreed:
            return f"Good: {what} goes out with the next synchronisation."
        return f"All right, I leave {what} at that."


@asynccontextmanager
async def open_program(
    folder: Path,
    name: str,
    *,
    customer: str | None = None,
    cloud: Cloud | None = None,
    writes: bool = False,
    settings: Settings | None = None,
    store: ModelStore | None = None,
) -> AsyncIterator[DeviceProgram]:
    """The program on the device in `folder`, with its bundle `name`, for the customer who holds it.

    With `writes` the bundle's model words the answers, of which only what the documents support is said; without, they
    are the documents' own sentences.

    Raises what `edge.runtime.opened` raises, `NotFound` when the embedding model was not pulled or nothing is there to
    write with, `MissingExtra` without llama-cpp-python, and `CorruptArtefact` when the knowledge was embedded with
    another model.
    """
    chosen, models = settings or Settings(), store or ModelStore()
    device = Device(folder)
    async with AsyncExitStack() as stack:
        outbox = Outbox(folder / OUTBOX)
        stack.callback(outbox.close)
        bundle = stack.enter_context(opened(device, folder, name, now()))
        embeddings = await asyncio.to_thread(lambda: OnnxEmbeddings(models.path(chosen.embedding_model)))
        stack.callback(embeddings.close)
        search = await _search(bundle.knowledge, embeddings, stack)
        engine = await _writer(bundle) if writes else SilentEngine()
        stack.push_async_callback(engine.close)
        checkpoints = await stack.enter_async_context(open_checkpoints(f"sqlite+aiosqlite:///{folder / 'threads.db'}"))
        hands, reception = OutboxHands(outbox), student_reception(bundle.student)
        graph = build_assistant(
            EngineChat(engine),
            search,
            embeddings,
            reception,
            Triage.shipped(embeddings),
            hands,
            checkpoints,
            KnowledgePolicy(),
        )
        assistant = Assistant(graph, reception, hands)
        stack.push_async_callback(assistant.close)
        who = Principal("device", device.tenant, Role.CLIENT, customer)
        yield DeviceProgram(bundle.manifest, assistant, who, outbox, cloud)


async def _search(knowledge: Path, embeddings: OnnxEmbeddings, stack: AsyncExitStack) -> HybridSearch:
    """Search in the snapshot, until the stack is left."""
    card = read_card(knowledge)
    if card.embedding != embeddings.fingerprint:
        told = f"the knowledge on this device was embedded with {card.embedding}, and not with {embeddings.fingerprint}"
        raise CorruptArtefact(told, code="wrong_base")
    index = await EdgeIndex.open(knowledge, Layout(card.vectors, card.dimensions))
    stack.push_async_callback(index.close)
    return HybridSearch(_Snapshot(Generation(card.embedding, embeddings, index)))


async def _writer(bundle: Opened) -> Engine:
    """The bundle's model as an engine."""
    if bundle.model is None:
        raise NotFound(f"the bundle {bundle.manifest.name} brings no model to write with", param="name")
    if find_spec("llama_cpp") is None:
        raise MissingExtra("llama-cpp-python", "device")
    # It is compiled for the device, and most do without.
    from app.device.engine import DeviceEngine

    return await asyncio.to_thread(DeviceEngine, bundle.model)
