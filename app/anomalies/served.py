"""What is usual of the company's rows: the registry's champion, taken up while the gateway runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.champions import Loaded
from core.errors import Conflict
from core.registry import Registry
from tabular.tasks.anomalies import Anomalies, Judged
from tabular.tasks.numbers import matrix_of
from tabular.tasks.storing import load

MODEL = "anomalies"
"""The model's name in the registry."""


class ServedAnomalies:
    """Holds the champion. It was learned from one tenant's rows, and judges for that one alone."""

    def __init__(self, registry: Registry, *, tenant: str) -> None:
        self._champion = Loaded(registry, MODEL, _read)
        self._tenant = tenant

    async def score(self, tenant: str, rows: Sequence[Mapping[str, float | None]]) -> tuple[int, float, list[Judged]]:
        """Judge rows by the champion: its version, its threshold, and what it says of each.

        Raises `Conflict` when the tenant has no champion, and `InvalidInput` for a row with other columns than it
        meets, with the path.
        """
        held = self._champion.held
        if held is None or tenant != self._tenant:
            raise Conflict(f"no model of {MODEL} is in force: train one, and promote it", param="model")
        version, model = held
        judged = await asyncio.to_thread(lambda: model.judge(matrix_of(model.names, rows)))
        return version, model.threshold, judged

    async def refresh(self) -> None:
        """Take up the champion if it changed. Raises as `Loaded.refresh` does."""
        await self._champion.refresh()


def _read(files: Mapping[str, Path]) -> Anomalies:
    return load(MODEL, files, Anomalies.read)
