"""What `wayside tabular train` can train: each model with the packages that it takes, and how it is made of the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.recommend.catalogue import titles_of
from app.systems import open_systems
from app.teaching import open_embeddings
from core.database import Database, now
from core.errors import InvalidInput, MissingExtra
from core.settings import Settings
from core.versions import Candidate
from tabular.eventlog import EventLog
from tabular.recommend.purchases import day_of


@dataclass(frozen=True, slots=True)
class Making:
    """What a model is made with; its files go into `folder`, and `say` tells people how it goes."""

    settings: Settings
    database: Database
    tenant: str
    folder: Path
    say: Callable[[str], None]

    @property
    def log(self) -> EventLog:
        """What it learns from."""
        return EventLog(self.database)

    @property
    def code(self) -> str:
        """The revision that a version tells it was made by."""
        return f"wayside {version('wayside')}"


@dataclass(frozen=True, slots=True)
class Trainer:
    """`packages` are the modules that it imports, each with the name that it is installed by."""

    packages: Mapping[str, str]
    make: Callable[[Making], Awaitable[Candidate]]

    def check(self) -> None:
        """Raise `MissingExtra` when a package is not installed."""
        for module, name in self.packages.items():
            if find_spec(module) is None:
                raise MissingExtra(name, "tabular")


def trainer(model: str) -> Trainer:
    """The trainer of a model. Raises `InvalidInput` when there is none."""
    if model not in TRAINERS:
        known = ", ".join(TRAINERS)
        raise InvalidInput(f"no model {model!r} is trained from the log: there is {known}", param="model")
    return TRAINERS[model]


async def _fraud(making: Making) -> Candidate:
    # Scikit-learn and LightGBM take seconds to import, and may be missing.
    from app.fraud.training import candidate, train_fraud

    moment = int(now().timestamp() * 1000)
    trained = await train_fraud(making.log, making.tenant, now=moment, say=making.say)
    return candidate(trained, making.folder, making.code)


async def _recommend(making: Making) -> Candidate:
    # The same of scipy.
    from app.recommend.training import candidate, train_recommend

    embeddings = open_embeddings(making.settings)
    try:
        async with AsyncExitStack() as stack:
            procurement = open_systems(making.settings.systems, making.database, stack).procurement
            titles = await titles_of(procurement, making.tenant)
        today = day_of(now())
        trained = await train_recommend(making.log, making.tenant, titles, embeddings, now=today, say=making.say)
    finally:
        embeddings.close()
    return candidate(trained, making.folder, making.code)


TRAINERS: Mapping[str, Trainer] = {
    "fraud": Trainer({"lightgbm": "lightgbm", "sklearn": "scikit-learn"}, _fraud),
    "recommend": Trainer({"scipy": "scipy", "safetensors": "safetensors"}, _recommend),
}
