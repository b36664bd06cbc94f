"""Does a device without a network answer as the gateway does?

The demo company's questions, put to the gateway's assistant (which quotes, as it does for who listens: what the
embedded model writes differs by nothing that a device could do) and to a device's program, made the whole way: a
snapshot, a signed bundle, installed. Both search the same passages with the same rules; what tells them apart is the
student, which routes in the place of the classifiers, and the tools that a device has.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from app.wiring import Wayside, open_wayside
from app.workspace import TENANT, shelf, signing_keys
from core.database import now
from core.errors import InvalidInput, MissingExtra
from core.settings import Settings
from core.types import Answer, Audience, Message, Turn
from edge.building import Order, Ware, build
from edge.download import Piece
from edge.installing import Device
from edge.keyring import Keyring
from edge.manifest import Artefact, Kind, Reach
from edge.shelf import Shelf
from evals import scorers
from evals.beir import Question, read_demo
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample
from evals.suites.workspace import CALLER

if TYPE_CHECKING:
    from app.device.program import DeviceProgram

BUNDLE = "assistant"


@dataclass(frozen=True, slots=True)
class Case:
    """A question and its kind: `answerable` or `unanswerable`."""

    id: str
    kind: str
    question: Question


@dataclass(frozen=True, slots=True)
class Both:
    """The two answers, and what each took in seconds."""

    device: Answer
    cloud: Answer
    device_seconds: float
    cloud_seconds: float


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Both]]:
    """The suite on the demo company. Raises `MissingExtra` without LiteRT."""
    refuse_foreign("device", options)
    if options.data is not None:
        raise InvalidInput("the suite device runs on the demo company", param="data")
    if find_spec("ai_edge_litert") is None:
        raise MissingExtra("ai-edge-litert", "edge")
    from app.device.program import open_program

    with tempfile.TemporaryDirectory(prefix="wayside-eval-") as path:
        settings = Settings(workspace=Path(path, "workspace"), null_engine=True, database_url=None, qdrant_url=None)
        async with open_wayside(settings) as wayside:
            folder = Path(path, "device")
            await equip(wayside, folder)
            async with open_program(folder, BUNDLE) as program:
                demo = read_demo()
                kinds = (("answerable", demo.questions), ("unanswerable", demo.unanswerable))
                yield Suite(
                    name="device",
                    cases=[
                        Case(f"{kind}/{each.id}", kind, each)
                        for kind, questions in kinds
                        for each in sample(questions, options)
                    ],
                    task=partial(ask, wayside, program),
                    scorers=SCORERS,
                    details=_details,
                    facts={"data": demo.name, "bundle": f"{program.manifest.size / 1e6:.1f} MB"},
                    # Time is measured: one after the other.
                    concurrency=1,
                )


async def equip(wayside: Wayside, folder: Path) -> None:
    """Make a device in `folder`, with a bundle of what customers may know and the student that ships."""
    from edge.student import SHIPPED

    packed = await wayside.snapshots.make(TENANT, Audience.PUBLIC, 7)
    keyring = Keyring(signing_keys(wayside.settings.workspace))
    keyring.create(now())
    reach = Reach(tenant=TENANT, audience=Audience.PUBLIC)
    wares = (
        Ware(packed.path, "knowledge", Kind.SNAPSHOT, "the company's", 10**7, reach=reach, expires=packed.card.expires),
        Ware(SHIPPED, "student", Kind.TFLITE, "Apache-2.0", 10**6),
        Ware(SHIPPED.with_suffix(".json"), "student-card", Kind.DATA, "Apache-2.0", 10**4),
    )
    offered = Shelf(shelf(wayside.settings.workspace))
    build(Order(BUNDLE, TENANT, wares, days=7), offered, keyring, now())
    published = offered.get(TENANT, BUNDLE)
    device = Device.create(folder, TENANT, keyring.record().keys[0].key)
    await asyncio.to_thread(device.install, published.content, FolderSource(published.folder), now())


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The shelf's own folder as a `Source`: as close as a network can be."""

    folder: Path

    def fetch(self, artefact: Artefact, start: int, stop: int) -> Piece:
        """See `Source.fetch`."""
        return Piece(artefact.etag, iter([(self.folder / artefact.file).read_bytes()[start:stop]]))


async def ask(wayside: Wayside, program: DeviceProgram, case: Case) -> Both:
    """Put the question to both."""
    (text,) = case.question.turns
    begun = time.perf_counter()
    device = await program.ask(text, case.id)
    between = time.perf_counter()
    cloud = await wayside.voice.answer(Turn(CALLER, f"eval/{case.id}", (Message("user", text),)))
    return Both(device, cloud, between - begun, time.perf_counter() - between)


def agrees(_: Case, out: Both) -> float:
    """1 when both answer, or both decline."""
    return float(out.device.declined == out.cloud.declined)


def same_evidence(_: Case, out: Both) -> float | None:
    """1 when both quote the same of the same documents, where both answer."""
    if out.device.declined or out.cloud.declined:
        return None
    quoted = [{(each.document_id, each.quote) for each in answer.citations} for answer in (out.device, out.cloud)]
    return float(quoted[0] == quoted[1])


def _gold(answer: Answer, case: Case) -> float | None:
    if not case.question.answers:
        return None
    return 0.0 if answer.declined else scorers.contains(answer.text, case.question.answers)


SCORERS: tuple[Scorer[Case, Both], ...] = (
    Scorer("agreement", agrees),
    Scorer("same_evidence", same_evidence),
    Scorer("device_contains_gold", lambda case, out: _gold(out.device, case)),
    Scorer("cloud_contains_gold", lambda case, out: _gold(out.cloud, case)),
    Scorer("device_seconds", lambda _, out: out.device_seconds, lower_is_better=True),
    Scorer("cloud_seconds", lambda _, out: out.cloud_seconds, lower_is_better=True),
)


def _details(case: Case, out: Both) -> Mapping[str, str]:
    return {
        "question": case.question.turns[-1],
        "expected": " | ".join(case.question.answers) or "a refusal",
        "device": out.device.text,
        "cloud": out.cloud.text,
    }
