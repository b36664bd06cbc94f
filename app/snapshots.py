"""Knowledge snapshots on request: made from the index, packed into one file in the workspace, ready for a bundle."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.database import now
from core.modelstore import file_sha256
from core.types import Audience, Principal, Role, Scope
from edge.archive import pack
from retrieval.migrate import Reading
from retrieval.snapshot import DocumentList, Snapshot, write_snapshot


@dataclass(frozen=True, slots=True)
class PackedSnapshot:
    """A snapshot as one file."""

    card: Snapshot
    path: Path
    sha256: str
    size: int


class Snapshots:
    """Makes snapshots into `folder`, one after the other: each takes a process and a good part of the disk."""

    def __init__(self, documents: DocumentList, generations: Reading, folder: Path) -> None:
        self._documents = documents
        self._generations = generations
        self._folder = folder
        self._turn = asyncio.Lock()

    async def make(self, tenant: str, audience: Audience, days: int) -> PackedSnapshot:
        """Pack what this audience of the tenant may see. Raises `NotFound` when that is nothing.

        The caller moves the file away, or deletes it.
        """
        # What an audience may see is said in one place, for searches and for snapshots alike.
        role = Role.STAFF if audience is Audience.STAFF else Role.CLIENT
        scope: Scope = Principal("", tenant, role).scope
        async with self._turn:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            workshop = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._folder, prefix=".making-"))
            try:
                expires = now() + timedelta(days=days)
                card = await write_snapshot(workshop / "shard", scope, expires, self._documents, self._generations)
                packed = workshop / "packed.zip"
                await asyncio.to_thread(pack, workshop / "shard", packed)
                digest = await asyncio.to_thread(file_sha256, packed)
                path = packed.replace(self._folder / f"{digest[:32]}.zip")
            finally:
                await asyncio.to_thread(shutil.rmtree, workshop)
        return PackedSnapshot(card, path, digest, path.stat().st_size)
