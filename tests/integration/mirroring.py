"""A process that registers and promotes with MLflow as the mirror: `python -m tests.integration.mirroring FOLDER`.

In a process of its own, because MLflow warns of much that is not ours to mend. Prints as JSON what MLflow has then.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from app.mirrors.mlflow import VERSION, MlflowMirror
from core.database import Database
from core.registry import Registry
from core.versions import Alias, Mode, Plan
from tests.databases import create
from tests.fakes.candidates import MODEL, candidate


async def main(folder: Path) -> dict[str, Any]:
    url = f"sqlite:///{folder}/mlflow.db"
    database = Database(await create("sqlite", folder))
    unmirrored = Registry.of(database, folder)
    await unmirrored.register(candidate(folder, "one"), "local:ada")
    mirror = MlflowMirror(url)
    registry = Registry.of(database, folder, mirror)
    await registry.register(candidate(folder, "two"), "local:ada")
    await registry.promote(MODEL, 1, "key_1", "first")
    await registry.challenge(MODEL, 2, Plan(Mode.SHADOW), "key_1", "try")
    before = _seen(url)
    await registry.promote(MODEL, 2, "key_1", "better")
    after = _seen(url)
    # Nobody listens there: a change that has been stored stays, and nothing is raised.
    away = Registry.of(database, folder, MlflowMirror("http://127.0.0.1:9"))
    await away.rollback(MODEL, Alias.CHAMPION, "key_1", "no")
    standing = await registry.standing(MODEL)
    await database.close()
    return {"before": before, "after": after, "champion": standing.champion}


def _seen(url: str) -> dict[str, Any]:
    client = MlflowClient(url, url)
    versions = {each.tags[VERSION]: each for each in client.search_model_versions(f"name = '{MODEL}'")}
    runs = {number: client.get_run(str(each.run_id)).data for number, each in versions.items()}
    aliases = client.get_registered_model(MODEL).aliases
    numbers = {str(each.version): number for number, each in versions.items()}
    return {
        "versions": sorted(versions),
        "aliases": {alias: numbers[str(version)] for alias, version in sorted(aliases.items())},
        "metrics": runs["1"].metrics,
        "params": runs["1"].params,
        "card": versions["1"].description,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
