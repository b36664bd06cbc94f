"""A process that carries runs until it is killed: `python -m tests.integration.carrying DSN EFFECTS LEASE`.

What the graph acts is written to the file EFFECTS, one line an effect.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.checkpoints import open_checkpoints
from app.runs.assistants import Assistants
from app.runs.runs import Runs
from app.runs.workers import Workers
from core.database import Database
from core.types import Principal
from tests.fakes.graphs import steps_assistant


@asynccontextmanager
async def opened(database: Database, effects: Path, *, lease: float = 15.0, **options: Any) -> AsyncIterator[Runs]:
    """The runs of a database that other processes work on as well."""

    async def act(what: str) -> None:
        with effects.open("a") as file:
            file.write(what + "\n")

    async with open_checkpoints(database.dsn) as saver:
        assistants = Assistants(steps_assistant(saver, act, **options))
        yield Runs(database, assistants, saver, sole=False, lease=lease, poll=0.05)


@asynccontextmanager
async def carrying(runs: Runs) -> AsyncIterator[None]:
    """A worker for these runs, while the block runs."""
    working = asyncio.create_task(Workers(runs, book, poll=0.1).run())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.wait({working})


async def book(_principal: Principal, _piece: object) -> None:
    """Nobody pays for the runs of tests."""


async def main(dsn: str, effects: Path, lease: float) -> None:
    """Carry until killed."""
    database = Database(dsn)
    async with opened(database, effects, lease=lease) as runs, carrying(runs):
        print("carrying", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
