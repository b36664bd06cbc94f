"""What only the embedded index has: its folder, its process, and optimising while it is in use."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from core.errors import WorkspaceInUse
from core.ports import HybridQuery, IndexedPassage
from core.types import Audience, Passage, Scope
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout
from retrieval.index.pipe import HostFailed
from tests.fakes.index import found

LAYOUT = Layout(("text",), 16)
SCOPE = Scope("acme", (Audience.PUBLIC,))


def passages(document: str, count: int, word: str = "tent") -> list[IndexedPassage]:
    vectors = np.random.default_rng(len(document)).standard_normal((count, 16)).astype(np.float32)
    return [
        IndexedPassage(
            Passage(document, "Title", (), f"{word} {at}", 0, 9, at),
            {"text": vectors[at] / np.linalg.norm(vectors[at])},
        )
        for at in range(count)
    ]


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


async def words(index: EdgeIndex, text: str = "tent boat") -> set[str]:
    query = HybridQuery(text, passages("d", 1)[0].vectors["text"], SCOPE, 5_000)
    return {passage.text for passage, _ in await found(index, query)}


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    await index.replace("acme", "d1", Audience.PUBLIC, passages("d1", 200))
    await index.close()
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    assert await index.count(SCOPE) == 200
    await index.close()


async def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    with pytest.raises(WorkspaceInUse):
        await EdgeIndex.open(tmp_path, LAYOUT)
    await index.replace("acme", "d1", Audience.PUBLIC, passages("d1", 1))
    await index.close()
    await (await EdgeIndex.open(tmp_path, LAYOUT)).close()


async def test_an_index_goes_on_after_its_process_was_killed(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    await index.replace("acme", "d1", Audience.PUBLIC, passages("d1", 100))
    index._host._process.kill()
    with pytest.raises(HostFailed):
        await index.count(SCOPE)
    assert await index.count(SCOPE) == 100
    await index.close()


async def test_searches_and_writes_go_on_while_it_is_optimised(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    for number in range(30):
        await index.replace("acme", f"d{number}", Audience.PUBLIC, passages(f"d{number}", 20))
    optimising = asyncio.create_task(index.optimise())
    looks = 0
    for number in range(10):
        await index.replace("acme", f"d{number}", Audience.PUBLIC, passages(f"d{number}", 5, "boat"))
        await index.remove("acme", f"d{number + 10}")
        await index.replace("acme", f"new{number}", Audience.PUBLIC, passages(f"new{number}", 2))
        looks += not optimising.done()
        assert await index.count(SCOPE) == 600 - 35 * (number + 1) + 2 * (number + 1)
    await optimising
    assert looks > 0, "the optimisation was over before anything was written"
    assert await index.count(SCOPE) == 270
    assert await index.count_document("acme", "d3") == 5
    assert await index.count_document("acme", "d13") == 0
    assert await words(index) == {*(f"boat {at}" for at in range(5)), *(f"tent {at}" for at in range(20))}
    await index.close()
    assert names(tmp_path) == {"current", "lock", "shard-2"}
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    assert await index.count(SCOPE) == 270
    await index.close()


async def test_it_optimises_by_itself_after_bulk_work(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT, optimise_after=2_500)
    for number in range(13):
        await index.replace("acme", f"d{number}", Audience.PUBLIC, passages(f"d{number}", 320))
    async with asyncio.timeout(60):
        while "shard-2" not in names(tmp_path) or "shard-1" in names(tmp_path):
            await asyncio.sleep(0.05)
    assert await index.count(SCOPE) == 13 * 320
    await index.close()


async def test_an_optimisation_that_was_cut_short_leaves_no_trace(tmp_path: Path) -> None:
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    await index.replace("acme", "d1", Audience.PUBLIC, passages("d1", 500))
    optimising = asyncio.create_task(index.optimise())
    await asyncio.sleep(0.2)
    optimising.cancel()
    await asyncio.gather(optimising, return_exceptions=True)
    assert await index.count(SCOPE) == 500
    await index.close()
    index = await EdgeIndex.open(tmp_path, LAYOUT)
    assert await index.count(SCOPE) == 500
    assert names(tmp_path) == {"current", "lock", "shard-1"}
    await index.close()
