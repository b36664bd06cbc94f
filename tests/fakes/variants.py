"""Registered versions as scripted engines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.engines.protocol import Completion, Engine
from app.trials.variants import OpenVariant
from core.errors import EngineUnavailable
from core.versions import Kind, Version
from tests.fakes.engines import ScriptedEngine


class ScriptedOpener:
    """Opens adapters as engines that say what `says` has for their number; an exception is raised for each request.

    `broken` versions cannot be opened. `opened` and `closed` tell which were, in order.
    """

    def __init__(self) -> None:
        self.says: dict[int, str | BaseException] = {}
        self.broken: set[int] = set()
        self.opened: list[int] = []
        self.closed: list[int] = []

    @property
    def openers(self) -> Mapping[Kind, OpenVariant]:
        return {Kind.ADAPTER: self._open}

    async def _open(self, version: Version, files: Mapping[str, Path]) -> Engine:
        if version.number in self.broken:
            raise EngineUnavailable("this is no valid adapter")
        self.opened.append(version.number)
        return _Counted(self, version.number, self.says.get(version.number, f"version {version.number}"))


class _Counted(ScriptedEngine):
    def __init__(self, opener: ScriptedOpener, number: int, says: str | BaseException) -> None:
        super().__init__(says)
        self._opener, self._number = opener, number

    async def close(self) -> None:
        self._opener.closed.append(self._number)


class SlowEngine(ScriptedEngine):
    """Waits for `go` before each answer."""

    def __init__(self, *pieces: str | BaseException) -> None:
        super().__init__(*pieces)
        self.go = asyncio.Event()

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        await self.go.wait()
        return await super().complete(request)
