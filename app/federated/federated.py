"""All of the federations of an installation, as the gateway holds them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from app.federated.federations import Federations
from app.federated.participation import Participation
from app.federated.rounds import Keeper
from core.database import Database
from core.registry import Registry


@dataclass(frozen=True, slots=True)
class Federated:
    """What engineers do, what devices do, and what sees to the rounds; `registry` takes the models."""

    federations: Federations
    devices: Participation
    keeper: Keeper
    registry: Registry

    @classmethod
    def of(cls, database: Database, registry: Registry, taken: Collection[str]) -> Self:
        """On this database; no federation may have a name that is `taken`."""
        return cls(Federations(database, taken=taken), Participation(database), Keeper(database), registry)
