"""What `wayside tabular train` can train, by name: each is a function that makes a candidate for the registry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.workspace import TENANT
from core.database import Database, now
from core.errors import InvalidInput, MissingExtra
from core.versions import Candidate
from tabular.eventlog import EventLog


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a training. `say` tells whoever waits; files are written into `folder`, the report to `report`.

    `data` is a file, for what does not learn from the event log; `even` asks for even treatment of groups.
    """

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


Trainer = Callable[[Order], Awaitable[Candidate]]


async def _fraud(order: Order) -> Candidate:
    if order.data or order.report or order.even:
        raise InvalidInput(
            "fraud is learned from the event log: --data, --report and --even are not for it", param="model"
        )
    _need(lightgbm="lightgbm", sklearn="scikit-learn")
    from app.fraud.training import candidate, train_fraud

    moment = int(now().timestamp() * 1000)
    trained = await train_fraud(EventLog(order.database), TENANT, now=moment, say=order.say)
    return candidate(trained, order.folder, order.code)


def _task(name: str) -> Trainer:
    async def train(order: Order) -> Candidate:
        if order.data is None:
            raise InvalidInput(f"{name} is learned from a file: name it with --data", param="data")
        need_tasks()
        if order.report:
            _need(matplotlib="matplotlib", shap="shap", lime="lime")
        return await asyncio.to_thread(_trained, name, order, order.data)

    return train


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


TRAINERS: Mapping[str, Trainer] = {"fraud": _fraud, "churn": _task("churn"), "income": _task("income")}


def find_trainer(name: str) -> Trainer:
    """What trains the model. Raises `InvalidInput`."""
    if name not in TRAINERS:
        raise InvalidInput(f"no model {name!r} is trained here: there are {', '.join(TRAINERS)}", param="model")
    return TRAINERS[name]


def need_tasks() -> None:
    """Raise `MissingExtra` unless the packages for tasks on tables are there."""
    _need(pandera="pandera", fairlearn="fairlearn", lightgbm="lightgbm", sklearn="scikit-learn")


def _need(**packages: str) -> None:
    """`packages` maps what is imported to what is installed."""
    for module, name in packages.items():
        if find_spec(module) is None:
            raise MissingExtra(name, "tabular")
