"""A process that registers or promotes when it is told to: `python -m tests.integration.promoting DSN FOLDER WHAT …`.

It says `ready`, waits for a line, does it, and says how that ended. WHAT is `register CONTENT`, `die CONTENT` (killed
when the files are kept and the row is not written) or `promote VERSION AGAINST`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from core.database import Database
from core.errors import WaysideError
from core.registry import Registry
from core.shelf import Shelf
from core.versions import Artefact
from tests.fakes.candidates import MODEL, candidate


class DyingShelf(Shelf):
    """Kills the process when the files are kept."""

    def keep(self, files: Mapping[str, Path]) -> tuple[Artefact, ...]:
        super().keep(files)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives this")


async def main(dsn: str, folder: Path, what: str, *rest: str) -> str:
    database = Database(dsn)
    shelf = (DyingShelf if what == "die" else Shelf)(folder / "models")
    registry = Registry(database, shelf)
    try:
        if what == "promote":
            number, against = map(int, rest)
            await registry.promote(MODEL, number, f"key_{os.getpid()}", "it is better", against=against)
            return "promoted"
        made = await registry.register(candidate(folder / str(os.getpid()), rest[0]), "local:ada")
        return f"version {made.number}"
    except WaysideError as error:
        return error.code
    finally:
        await database.close()


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    print(asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])), flush=True)
