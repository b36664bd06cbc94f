"""Passages in Qdrant Edge, inside a folder of the workspace.

The folder holds one shard (`shard-N`), the file `current` that names it, and a lock: one owner at a time. The
shard runs in a process of its own (`retrieval.index.host`), because the binding holds Python's lock for as long
as a call takes, which is minutes for an optimisation. For the same reason a shard is never optimised in place:
a copy is, by a second process, while the first goes on serving; what was written meanwhile is carried over, and
`current` is switched.

What a call has returned from survives SIGKILL, for the engine logs every operation before it applies it. The
log is not forced to the disk each time, so losing power can lose the last seconds before a flush.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.errors import WorkspaceInUse
from core.ports import Candidate, HybridQuery, IndexedPassage, PointId
from core.types import Audience, Passage, Scope
from retrieval.index.layout import BM25, SCOPE, Layout, from_payload, point_id, scope_of, scopes_of, to_payload
from retrieval.index.pipe import Host, HostFailed, end, start

# A write of 64 points keeps the shard busy for about 5 ms, which is what a search may have to wait.
_CHUNK = 64
# The engine leaves segments of fewer points (10,000 KiB of vectors) without a graph, so sooner would do nothing.
OPTIMISE_AFTER = 7_000
# The shard's ids are numbers of 63 bits: a search handles 400 ids, and as UUIDs they would take a third of its time.
# `Shard.write` refuses a number that is taken.
_ID_SHIFT = 65
# Points written between flushes: bounds what opening the shard has to replay.
_FLUSH_AFTER = 2_000

_log = logging.getLogger(__name__)


class EdgeIndex:
    """`VectorIndex` on an embedded shard. Make one with `open`."""

    def __init__(self, folder: Path, layout: Layout, lock: IO[bytes], host: Host, *, optimise_after: int) -> None:
        self._folder = folder
        self._layout = layout
        self._lock = lock
        self._host = host
        self._optimise_after = optimise_after
        self._writing = asyncio.Lock()
        self._fresh = 0
        self._unflushed = 0
        self._touched: set[tuple[str, str]] | None = None
        self._tending: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path, layout: Layout, *, optimise_after: int = OPTIMISE_AFTER) -> EdgeIndex:
        """Open the index in `folder`, made when absent. Raises `WorkspaceInUse` when another owner has it open.

        After `optimise_after` new points, and a tenth of all, an optimisation starts in the background.
        """
        folder, lock = await asyncio.to_thread(_prepare, folder)
        host = await Host.open(_current(folder), layout)
        index = cls(folder, layout, lock, host, optimise_after=optimise_after)
        info = await host.call("info")
        index._fresh = info["points"] - info["indexed"] // (len(layout.names) + 1)
        index._tend(info["points"])
        return index

    async def replace(
        self, tenant: str, document_id: str, audience: Audience, passages: Sequence[IndexedPassage]
    ) -> None:
        """See `VectorIndex.replace`."""
        self._layout.check_passages(document_id, passages)
        revision = uuid.uuid4().hex
        points = [
            {
                "id": point_id(tenant, item.passage, revision).int >> _ID_SHIFT,
                "vectors": dict(item.vectors),
                "payload": to_payload(tenant, item.passage, revision),
            }
            for item in passages
        ]
        async with self._writing:
            self._touch(tenant, document_id)
            for first in range(0, len(points), _CHUNK):
                await self._call("write", points=points[first : first + _CHUNK])
            await self._call(
                "publish", tenant=tenant, document=document_id, revision=revision, scope=scope_of(tenant, audience)
            )
            await self._written(tenant, document_id, len(points))

    async def remove(self, tenant: str, document_id: str) -> None:
        """See `VectorIndex.remove`."""
        async with self._writing:
            await self._call("remove", tenant=tenant, document=document_id)
            await self._written(tenant, document_id, 1)

    async def search(self, query: HybridQuery) -> list[Candidate]:
        """See `VectorIndex.search`."""
        self._layout.check_query(query)
        if not query.scope.audiences:
            return []
        found = await self._call(
            "search", vector=query.vector, text=query.text, scopes=scopes_of(query.scope), limit=query.limit
        )
        return [
            Candidate(
                point=each["id"],
                cosines={name: each["scores"][name] for name in self._layout.names},
                bm25=each["scores"].get(BM25, 0.0),
            )
            for each in found
        ]

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        """See `VectorIndex.passages`."""
        if not points or not scope.audiences:
            return {}
        found = await self._call("read", points=list(points), scopes=scopes_of(scope))
        return {each["id"]: from_payload(each["payload"]) for each in found}

    async def count(self, scope: Scope) -> int:
        """See `PassageStore.count`."""
        return int(await self._call("count", scopes=scopes_of(scope))) if scope.audiences else 0

    async def count_document(self, tenant: str, document_id: str) -> int:
        """See `PassageStore.count_document`."""
        return int(await self._call("count", tenant=tenant, document=document_id))

    async def export(self, scope: Scope, document_id: str) -> list[IndexedPassage]:
        """See `PassageStore.export`."""
        visible = set(scopes_of(scope))
        found = await self._call("export", tenant=scope.tenant, document=document_id)
        exported = [
            IndexedPassage(
                from_payload(each["payload"]),
                {name: np.asarray(vector, np.float32) for name, vector in each["vectors"].items()},
            )
            for each in found
            if each["payload"].get(SCOPE) in visible
        ]
        return sorted(exported, key=lambda each: each.passage.position)

    async def optimise(self) -> None:
        """Build the graphs for what was written since the last time; searches and writes go on meanwhile."""
        old = _current(self._folder)
        new = old.with_name(f"shard-{int(old.name.removeprefix('shard-')) + 1}")
        fresh = self._fresh
        try:
            async with self._writing:
                await self._call("flush")
                await _in_thread(_copy, old, new)
                self._touched, self._fresh = set(), 0
            await self._optimise(new)
            former = await self._switch(new)
        except BaseException:
            self._fresh = max(fresh, self._fresh)
            await _in_thread(shutil.rmtree, new, True)
            raise
        finally:
            self._touched = None
        await former.close()
        await _in_thread(shutil.rmtree, old)

    async def close(self) -> None:
        """See `PassageStore.close`. An optimisation that is under way is given up."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        await self._host.close()
        self._lock.close()

    async def _call(self, method: str, **arguments: Any) -> Any:
        while True:
            host = self._host
            try:
                return await host.call(method, **arguments)
            except HostFailed:
                # After a switch the same question goes to the new host; a host that fell is started anew.
                if host is self._host:
                    self._host = await Host.open(_current(self._folder), self._layout)
                    raise

    def _touch(self, tenant: str, document_id: str) -> None:
        if self._touched is not None:
            self._touched.add((tenant, document_id))

    async def _written(self, tenant: str, document_id: str, points: int) -> None:
        self._touch(tenant, document_id)
        self._fresh += points
        self._unflushed += points
        if self._unflushed >= _FLUSH_AFTER:
            self._unflushed = 0
            await self._call("flush")
        if self._fresh >= self._optimise_after:
            self._tend((await self._call("info"))["points"])

    def _tend(self, points: int) -> None:
        busy = self._tending is not None and not self._tending.done()
        if not busy and self._fresh >= max(self._optimise_after, points // 10):
            self._tending = asyncio.create_task(self.optimise())
            self._tending.add_done_callback(_report)

    async def _optimise(self, folder: Path) -> None:
        process = await start("optimise", folder, self._layout)
        try:
            status = await process.wait()
        finally:
            await end(process)
        if status != 0:
            raise HostFailed(f"the optimiser ended with status {status}")

    async def _switch(self, folder: Path) -> Host:
        """Bring the shard in `folder` up to date, use it from now on, and return the host that was used so far."""
        host = await Host.open(folder, self._layout)
        try:
            await self._carry_over(host)
            async with self._writing:
                await self._carry_over(host)
                await host.call("flush")
                _make_current(folder)
                host, self._host = self._host, host
        except BaseException:
            await host.close()
            raise
        return host

    async def _carry_over(self, host: Host) -> None:
        while self._touched:
            tenant, document = self._touched.pop()
            points = await self._call("export", tenant=tenant, document=document)
            await host.call("remove", tenant=tenant, document=document)
            for first in range(0, len(points), _CHUNK):
                await host.call("write", points=points[first : first + _CHUNK])


def _prepare(folder: Path) -> tuple[Path, IO[bytes]]:
    """Take the lock, and clear away what an owner that was killed has left."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise WorkspaceInUse(f"another process has the index in {folder} open") from error
    if not (folder / "current").exists():
        _make_current(folder / "shard-1")
    for stale in folder.glob("shard-*"):
        if stale != _current(folder):
            shutil.rmtree(stale)
    return folder, lock


async def _in_thread(call: Callable[..., object], *arguments: object) -> None:
    """Run the call in a thread. A thread cannot be stopped, so when cancelled this ends no sooner than the call."""
    running = asyncio.create_task(asyncio.to_thread(call, *arguments))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _copy(old: Path, new: Path) -> None:
    # What an optimisation that was given up has left.
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(old, new, ignore=shutil.ignore_patterns("host.lock"))


def _current(folder: Path) -> Path:
    return folder / (folder / "current").read_text()


def _make_current(shard: Path) -> None:
    written = shard.with_name("current.new")
    written.write_text(shard.name)
    written.replace(shard.with_name("current"))


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("optimising the index failed; it goes on unoptimised", exc_info=error)
