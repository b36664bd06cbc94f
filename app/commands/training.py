"""What `wayside tabular train` can train, by name: the packages that it takes, and what makes it a candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.workspace import TENANT
from core.database import Database, now
from core.errors import InvalidInput, MissingExtra
from core.settings import Settings
from core.versions import Candidate
from tabular.eventlog import EventLog


@dataclass(frozen=True, slots=True)
class Options:
    """What may be asked of a training, where it has a use for it.

    `data` is the file that it learns from, `report` where a page is written; `even` asks for even treatment of groups,
    `expected` is the share of rows that is to be told unusual.
    """

    data: Path | None = None
    report: Path | None = None
    even: bool = False
    expected: float | None = None

    @property
    def given(self) -> list[str]:
        """The names of those that were asked for."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a training. `say` tells whoever waits; files are written into `folder`."""

    settings: Settings
    database: Database
    folder: Path
    say: Callable[[str], None]
    options: Options

    @property
    def code(self) -> str:
        """The revision of the code that trains."""
        return f"wayside {version('wayside')}"


Made = tuple[Candidate, str]
"""What is to be registered, and what it was trained on, in words."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """`packages` maps what is imported to what is installed. `takes` are the options that it has a use for.

    What takes `data` needs it; the others learn from the workspace.
    """

    packages: Mapping[str, str]
    make: Callable[[Order], Awaitable[Made]]
    takes: tuple[str, ...] = ()

    def check(self, name: str, options: Options) -> None:
        """Raise `InvalidInput` for options that it has no use for, `MissingExtra` without a package."""
        if "data" in self.takes and options.data is None:
            raise InvalidInput(f"{name} is learned from a file: name it with --data", param="data")
        if useless := [each for each in options.given if each not in self.takes]:
            ground = "a file" if "data" in self.takes else "the workspace"
            told = f"{name} is learned from {ground}: --{useless[0]} is not for it"
            raise InvalidInput(told, param=useless[0])
        need(self.packages)
        if options.report:
            need({"matplotlib": "matplotlib", "shap": "shap", "lime": "lime"})


def find_trainer(name: str) -> Trainer:
    """What trains the model. Raises `InvalidInput`."""
    if name not in TRAINERS:
        raise InvalidInput(f"no model {name!r} is trained here: there are {', '.join(TRAINERS)}", param="model")
    return TRAINERS[name]


def check_schedule(models: Iterable[str]) -> None:
    """Raise `InvalidInput` for a model that nobody could train on schedule, since it is learned from a file."""
    for name in models:
        if "data" in find_trainer(name).takes:
            told = f"{name} is learned from a file, so that it cannot be trained on schedule"
            raise InvalidInput(told, param="tabular.retrain")


def need(packages: Mapping[str, str]) -> None:
    """Raise `MissingExtra` unless each is there."""
    for module, name in packages.items():
        if find_spec(module) is None:
            raise MissingExtra(name, "tabular")


# What learns takes seconds to import, and may be missing: each imports its own.


async def _fraud(order: Order) -> Made:
    from app.fraud.training import candidate, train_fraud

    moment = int(now().timestamp() * 1000)
    trained = await train_fraud(EventLog(order.database), TENANT, now=moment, say=order.say)
    return candidate(trained, order.folder, order.code), "the event log"


async def _recommend(order: Order) -> Made:
    from app.recommend.catalogue import titles_of
    from app.recommend.history import PurchaseHistory
    from app.recommend.training import candidate, train_recommend
    from app.systems import open_systems
    from app.teaching import open_embeddings
    from tabular.recommend.purchases import day_of

    embeddings = open_embeddings(order.settings)
    try:
        async with AsyncExitStack() as stack:
            systems = open_systems(order.settings.systems, order.database, stack)
            titles = await titles_of(systems.procurement, TENANT)
            # What was ordered since the last training, or at all: a schedule has nobody who imports it.
            taken = await PurchaseHistory(systems.orders, order.database).take_all(TENANT)
        order.say(f"{taken.appended:,} purchases were new to the log, {taken.withdrawn:,} were withdrawn")
        log, today = EventLog(order.database), day_of(now())
        trained = await train_recommend(log, TENANT, titles, embeddings, now=today, say=order.say)
    finally:
        embeddings.close()
    return candidate(trained, order.folder, order.code), "the event log"


async def _segments(order: Order) -> Made:
    from app.segments.training import candidate, train_segments
    from app.systems import open_systems

    async with AsyncExitStack() as stack:
        orders = open_systems(order.settings.systems, order.database, stack).orders
        trained = await train_segments(orders, TENANT, now=now(), say=order.say)
    return candidate(trained, order.folder, order.code), f"{trained.purchases:,} purchases"


async def _demand(order: Order) -> Made:
    from app.demand.training import candidate, train_demand
    from app.systems import open_systems

    async with AsyncExitStack() as stack:
        procurement = open_systems(order.settings.systems, order.database, stack).procurement
        trained = await train_demand(procurement, TENANT, stale_days=order.settings.demand.stale_days, say=order.say)
    return candidate(trained, order.folder, order.code), f"sales until {trained.prepared.origin.isoformat()}"


def _task(name: str) -> Trainer:
    return _from_file(name, TASKS, _trained, "report", "even")


def _from_file(
    name: str, packages: Mapping[str, str], made: Callable[[str, Order, Path], Candidate], *takes: str
) -> Trainer:
    async def train(order: Order) -> Made:
        data = order.options.data
        if data is None:
            raise InvalidInput(f"{name} is learned from a file", param="data")
        return await asyncio.to_thread(made, name, order, data), data.name

    return Trainer(packages, train, ("data", *takes))


def _anomalies(_name: str, order: Order, data: Path) -> Candidate:
    from app.anomalies.training import EXPECTED, candidate, train_anomalies

    expected = order.options.expected
    made = train_anomalies(data, expected=EXPECTED if expected is None else expected, say=order.say)
    return candidate(made, order.folder, order.code)


def _trained(name: str, order: Order, data: Path) -> Candidate:
    from app.tasks.training import candidate, train_task
    from tabular.tasks.catalog import find

    made = train_task(find(name), data, even=order.options.even, say=order.say)
    if order.options.report:
        # Draws, which takes seconds to import.
        from tabular.tasks.report import agreement, render

        order.options.report.write_text(render(made.trained, made.card, agreement(made.trained)), encoding="utf-8")
        order.say(f"the report is {order.options.report}")
    return candidate(made, order.folder, order.code)


TASKS = {"pandera": "pandera", "fairlearn": "fairlearn", "lightgbm": "lightgbm", "sklearn": "scikit-learn"}
"""The packages that tasks on tables take."""

TRAINERS: Mapping[str, Trainer] = {
    "fraud": Trainer({"lightgbm": "lightgbm", "sklearn": "scikit-learn"}, _fraud),
    "recommend": Trainer({"scipy": "scipy", "safetensors": "safetensors"}, _recommend),
    "demand": Trainer({"statsforecast": "statsforecast", "pandas": "pandas"}, _demand),
    "segments": Trainer({"sklearn": "scikit-learn"}, _segments),
    "churn": _task("churn"),
    "income": _task("income"),
    "anomalies": _from_file("anomalies", {}, _anomalies, "expected"),
}
