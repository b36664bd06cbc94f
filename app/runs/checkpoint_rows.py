"""What LangGraph's savers cannot do to their tables: return to a checkpoint, copy a thread, keep only the newest.

The savers' tables are theirs; names and columns are those of langgraph-checkpoint-sqlite 3.1 and -postgres 3.2, and
`tests/integration/test_runs.py` fails when another version has others.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import column, delete, func, insert, literal, select, table

from core.database import Database

_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {
        "checkpoints": "checkpoint_ns checkpoint_id parent_checkpoint_id type checkpoint metadata",
        "writes": "checkpoint_ns checkpoint_id task_id task_path idx channel type value",
    },
    "postgresql": {
        "checkpoints": "checkpoint_ns checkpoint_id parent_checkpoint_id type checkpoint metadata",
        "checkpoint_blobs": "checkpoint_ns channel version type blob",
        "checkpoint_writes": "checkpoint_ns checkpoint_id task_id task_path idx channel type blob",
    },
}


class CheckpointRows:
    """The savers' rows in our database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        columns = _COLUMNS[database.engine.dialect.name]
        self._tables = [
            table(name, *(column(each) for each in ("thread_id", *names.split()))) for name, names in columns.items()
        ]
        self._checkpoints, self._writes = self._tables[0], self._tables[-1]

    async def rewind(self, key: str, base: str) -> None:
        """Remove every checkpoint after `base` ('': all).

        Checkpoint ids are UUIDs of version 6: their order as text is their order in time.
        """
        async with self._database.session() as session:
            for each in (self._checkpoints, self._writes):
                await session.execute(delete(each).where(each.c.thread_id == key, each.c.checkpoint_id > base))

    async def forget_answers(self, key: str) -> None:
        """Remove the answers to interrupts that were written and not used up.

        LangGraph puts a new answer behind one that is there, so that the old one would be taken again.
        """
        answers = (self._writes.c.thread_id == key, self._writes.c.channel == "__resume__")
        async with self._database.session() as session:
            await session.execute(delete(self._writes).where(*answers))

    async def copy(self, key: str, to: str) -> None:
        """Give the thread `to`, which has none yet, all checkpoints of the thread `key`."""
        async with self._database.session() as session:
            for each in self._tables:
                names = [name for name in each.c.keys() if name != "thread_id"]  # noqa: SIM118 (columns, not a dict)
                rows = select(literal(to), *(each.c[name] for name in names)).where(each.c.thread_id == key)
                await session.execute(insert(each).from_select(["thread_id", *names], rows))

    async def keep_newest(self, key: str) -> None:
        """Remove every checkpoint of the thread but the newest of each namespace."""
        own = self._checkpoints.c
        newest = select(func.max(own.checkpoint_id)).where(own.thread_id == key).group_by(own.checkpoint_ns)
        async with self._database.session() as session:
            ids = list(await session.scalars(newest))
            for each in (self._writes, self._checkpoints):
                await session.execute(delete(each).where(each.c.thread_id == key, each.c.checkpoint_id.not_in(ids)))
