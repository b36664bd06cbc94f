"""Checkpoints in SQLite: a writer that is cancelled leaves no lock behind."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from app.checkpoints import open_checkpoints

CONFIG = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancelled_write_leaves_the_database_free(tmp_path: Path, turns: int) -> None:
    """Cancelled after every number of turns of the event loop, so also between the statement and its commit."""
    path = tmp_path / "wayside.db"
    async with open_checkpoints(f"sqlite+aiosqlite:///{path}") as saver:
        write = asyncio.ensure_future(
            saver.aput(CONFIG, empty_checkpoint(), {"source": "input", "step": 0, "parents": {}}, {})  # type: ignore[arg-type]
        )
        for _ in range(turns):
            await asyncio.sleep(0.002)
        write.cancel()
        await asyncio.wait([write])
        other = sqlite3.connect(path, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()
        kept = await saver.aget_tuple(CONFIG)  # type: ignore[arg-type]
        assert kept is not None or turns == 0


async def test_what_fails_is_raised(tmp_path: Path) -> None:
    async with open_checkpoints(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}") as saver:
        with pytest.raises(KeyError, match="checkpoint_ns"):
            await saver.aput({"configurable": {"thread_id": "t"}}, empty_checkpoint(), {}, {})
