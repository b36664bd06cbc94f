"""The registry's champions that answer here: each is taken up when it is promoted, while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from app import logs
from app.runs.finishing import finished
from core.errors import InvalidInput, NotFound, WaysideError
from core.versions import Kind

if TYPE_CHECKING:
    from core.registry import Registry
    from core.versions import Standing, Version

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Change:
    """What is in force now, and where its files lie; None when the last champion was taken back."""

    standing: Standing
    version: Version | None
    files: Mapping[str, Path] = field(default_factory=dict)


class Champion:
    """A tabular model's champion, as far as it changes."""

    def __init__(self, registry: Registry, model: str) -> None:
        self._registry = registry
        self._model = model
        self._seen: int | None = None

    async def change(self) -> Change | None:
        """What changed since it was asked last, None when nothing did. What raises is looked at once as well.

        Raises `InvalidInput` for a model of another kind, `CorruptArtefact` for files that are not the registered ones.
        """
        try:
            standing = await self._registry.standing(self._model)
        except NotFound:
            return None
        if self._seen == standing.changes:
            return None
        change = Change(standing, None)
        try:
            if standing.kind is not Kind.TABULAR:
                told = f"the model {self._model} is of kind {standing.kind.value}, not tabular"
                raise InvalidInput(told, param="kind")
            if standing.champion is not None:
                version = await self._registry.version(self._model, standing.champion)
                change = Change(standing, version, await self._registry.files(version))
        except WaysideError:
            self._seen = standing.changes
            raise
        # A database that was away amid it is asked again.
        self._seen = standing.changes
        return change

    def again(self) -> None:
        """Have the last change told once more: what was needed for it was away."""
        self._seen = None


class Loaded(Generic[Model]):
    """A tabular model's champion, opened: what `read` makes of its files, which it does in a thread."""

    def __init__(self, registry: Registry, model: str, read: Callable[[Mapping[str, Path]], Model]) -> None:
        self._changes = Champion(registry, model)
        self._read = read
        self._held: tuple[int, Model] | None = None

    @property
    def held(self) -> tuple[int, Model] | None:
        """The version in force and the model; None without one."""
        return self._held

    async def refresh(self) -> None:
        """Take up the champion if it changed.

        Raises what `Champion.change` and `read` do, and keeps the one before then.
        """
        change = await self._changes.change()
        if change is None:
            return
        held = None
        if change.version is not None:
            held = (change.version.number, await asyncio.to_thread(self._read, change.files))
        self._held = held


class Served(Protocol):
    """What answers with a champion."""

    async def refresh(self) -> None:
        """Take up what changed. Raises what is wrong with it, and leaves what was in force."""


async def take_up(served: Served) -> None:
    """Refresh; what stands in the way is logged, and the next promotion is taken up as ever."""
    try:
        # A connection that is being opened when its task is cancelled is never closed.
        await finished(served.refresh())
    except (DBAPIError, OSError) as problem:
        logs.logger.warning("the registry was not read", **logs.describe(problem))
    except WaysideError as problem:
        logs.logger.error("the champion was not taken up", by=type(served).__name__, **logs.describe(problem))


async def keep(served: Sequence[Served], poll_seconds: float) -> None:
    """Look for changes until cancelled."""
    while True:
        await asyncio.sleep(poll_seconds)
        for each in served:
            await take_up(each)
