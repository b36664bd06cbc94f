"""What `wayside tabular train` can train, by name: the packages that it takes, and what makes it a candidate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
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
class Order:
    """What is asked of a training. `say` tells whoever waits; files are written into `folder`, the report to `report`.

    `data` is a file, for what does not learn from the workspace; `even` asks for even treatment of groups.
    """

    settings: Settings
    database: Database
    folder: Path
    say: Callable[[str], None]
    data: Path | None = None
    report: Path | None = None
    even: bool = False

    @property
    def code(self) -> str:
        """The revision of the code that trains."""
        return f"wayside {version('wayside')}"


Made = tuple[Candidate, str]
"""What is to be registered, and what it was trained on, in words."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """`packages` maps what is imported to what is installed. What learns `from_table` is given a file."""

    packages: Mapping[str, str]
    make: Callable[[Order], Awaitable[Made]]
    from_table: bool = False

    def check(self, name: str, *, data: Path | None, report: Path | None, even: bool) -> None:
        """Raise `InvalidInput` for options that it has no use for, `MissingExtra` without a package."""
        if self.from_table and data is None:
            raise InvalidInput(f"{name} is learned from a file: name it with --data", param="data")
        if not self.from_table and (data or report or even):
            told = f"{name} is learned from the workspace: --data, --report and --even are not for it"
            raise InvalidInput(told, param="data" if data else "report" if report else "even")
        need(self.packages)
        if report:
            need({"matplotlib": "matplotlib", "shap": "shap", "lime": "lime"})


def find_trainer(name: str) -> Trainer:
    """What trains the model. Raises `InvalidInput`."""
    if name not in TRAINERS:
        raise InvalidInput(f"no model {name!r} is trained here: there are {', '.join(TRAINERS)}", param="model")
    return TRAINERS[name]


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


async def _demand(order: Order) -> Made:
    from app.demand.training import candidate, train_demand
    from app.systems import open_systems

    async with AsyncExitStack() as stack:
        procurement = open_systems(order.settings.systems, order.database, stack).procurement
        trained = await train_demand(procurement, TENANT, stale_days=order.settings.demand.stale_days, say=order.say)
    return candidate(trained, order.folder, order.code), f"sales until {trained.prepared.origin.isoformat()}"


def _task(name: str) -> Trainer:
    async def train(order: Order) -> Made:
        if order.data is None:
            raise InvalidInput(f"{name} is learned from a file", param="data")
        return await asyncio.to_thread(_trained, name, order, order.data), order.data.name

    return Trainer(TASKS, train, from_table=True)


def _trained(name: str, order: Order, data: Path) -> Candidate:
    from app.tasks.training import candidate, train_task
    from tabular.tasks.catalog import find

    made = train_task(find(name), data, even=order.even, say=order.say)
    if order.report:
        # Draws, which takes seconds to import.
        from tabular.tasks.report import agreement, render

        order.report.write_text(render(made.trained, made.card, agreement(made.trained)), encoding="utf-8")
        order.say(f"the report is {order.report}")
    return candidate(made, order.folder, order.code)


TASKS = {"pandera": "pandera", "fairlearn": "fairlearn", "lightgbm": "lightgbm", "sklearn": "scikit-learn"}
"""The packages that tasks on tables take."""

TRAINERS: Mapping[str, Trainer] = {
    "fraud": Trainer({"lightgbm": "lightgbm", "sklearn": "scikit-learn"}, _fraud),
    "recommend": Trainer({"scipy": "scipy", "safetensors": "safetensors"}, _recommend),
    "demand": Trainer({"statsforecast": "statsforecast", "pandas": "pandas"}, _demand),
    "churn": _task("churn"),
    "income": _task("income"),
}
