"""Killed at any moment while ingesting, every document is whole or absent, and the work is done after a restart."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from core.database import Database
from core.ports import HybridQuery
from core.types import Audience, Scope
from retrieval.documents import identify
from retrieval.index.edge import EdgeIndex
from retrieval.passages import split
from retrieval.readers import read
from tests.fakes.index import found as found_in
from tests.integration.ingesting import DOCUMENTS, LAYOUT, article

KILLS = 12
ROOT = Path(__file__).parents[2]


async def ingesting(workspace: Path, version: int) -> Process:
    # A session of its own, so that a kill can take the index's process along, or leave it.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.ingesting", str(workspace), str(version)),
        cwd=ROOT,
        stdout=PIPE,
        start_new_session=True,
    )


async def whole(version: int) -> dict[str, list[str]]:
    """The passages that every document must have in this version."""
    expected = {}
    for number in range(DOCUMENTS):
        document = identify("acme", f"{number}.md")
        text = await read(article(number, version), f"{number}.md")
        expected[document] = [each.text for each in split(document, text)]
    return expected


async def look(workspace: Path) -> dict[str, list[str]]:
    """Everything that a search can find, by document, in order."""
    index = await EdgeIndex.open(workspace / "index" / "one", LAYOUT)
    vector = np.full(LAYOUT.size, LAYOUT.size**-0.5, dtype=np.float32)
    query = HybridQuery("article", vector, Scope("acme", (Audience.PUBLIC,)), 10_000)
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for passage, _ in await found_in(index, query):
        found[passage.document_id][passage.position] = passage.text
    await index.close()
    return {document: [texts[position] for position in sorted(texts)] for document, texts in found.items()}


@pytest.mark.timeout(300)
async def test_killed_at_any_moment_documents_are_whole_or_absent(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    await database.migrate()
    await database.close()
    versions = [await whole(0), await whole(1)]
    chance = random.Random(20)
    seen: set[int] = set()
    kill = version = 0
    while kill < KILLS:
        process = await ingesting(tmp_path, version)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"started\n"
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        if process.returncode is not None:
            # A quick machine: it was done before it could be killed. The other version is work again.
            assert process.returncode == 0
            version = 1 - version
            continue
        if kill % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        await process.communicate()
        found = await look(tmp_path)
        seen.add(sum(texts == versions[0][document] for document, texts in found.items()))
        for document, texts in found.items():
            assert texts in [each[document] for each in versions], f"{document} is in pieces after kill {kill}"
        kill += 1
        # The version alternates, so that there is always something left to do.
        version = kill // 2 % 2
    assert len(seen) > 2, f"the kills came too early or too late to tell: {seen}"
    last = await ingesting(tmp_path, 1)
    output, _ = await last.communicate()
    assert (last.returncode, output) == (0, b"started\nidle\n")
    assert await look(tmp_path) == versions[1]


async def test_a_second_process_is_told_that_the_workspace_is_taken(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    await database.migrate()
    await database.close()
    index = await EdgeIndex.open(tmp_path / "index" / "one", LAYOUT)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.ingesting", str(tmp_path), "0"), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    await index.close()
    assert process.returncode == 1 and output == b""
    assert b"WorkspaceInUse: another process has the index in" in errors
