"""The shelf: the bundles that a gateway offers, one folder for each build.

::

    shelf/<tenant's hash>/<name>/<counter>/manifest.json + files
    shelf/<tenant's hash>/<name>/current          the counter of the build that is offered

A build is whole before it gets its folder, and offered by one rename. The one before it is kept, for devices that are
amid downloading it; older ones are cleared away.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import Conflict, NotFound
from edge.durable import rename, sync, write
from edge.manifest import Artefact, Manifest
from edge.signing import Envelope

MANIFEST = "manifest.json"
_CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Published:
    """A bundle on the shelf: its signed manifest as it is sent, and what that says."""

    folder: Path
    content: bytes
    manifest: Manifest

    @property
    def etag(self) -> str:
        """The strong entity tag of the signed manifest."""
        return f'"{hashlib.sha256(self.content).hexdigest()}"'

    def path(self, artefact: Artefact) -> Path:
        """The artefact's file."""
        return self.folder / artefact.file


class Shelf:
    """The bundles in a folder, each tenant's for itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def published(self, tenant: str) -> list[Published]:
        """The tenant's bundles on offer, by name. Raises `BundleUnreadable` for one whose manifest is broken."""
        names = sorted(path.parent.name for path in self._of(tenant).glob(f"*/{_CURRENT}"))
        return [self.get(tenant, name) for name in names]

    def get(self, tenant: str, name: str) -> Published:
        """The bundle on offer under this name. Raises `NotFound`, and `BundleUnreadable` when it is broken."""
        counter = self._counter(tenant, name)
        if not counter:
            raise NotFound(f"no bundle {name}", param="name")
        folder = self._of(tenant) / name / str(counter)
        content = (folder / MANIFEST).read_bytes()
        return Published(folder, content, Envelope.parse(content).unverified())

    @contextmanager
    def arriving(self, tenant: str, name: str) -> Iterator[tuple[Path, int]]:
        """A folder to fill and the counter it will have; offered when the block ends well, gone when it does not.

        Raises `Conflict` when another process builds a bundle of this name.
        """
        home = self._of(tenant) / name
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (home / "lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"another process builds the bundle {name}", param="name") from None
            for left in home.glob(".arriving-*"):
                shutil.rmtree(left)
            last = self._counter(tenant, name)
            # A build that was killed before it was offered may have left its folder: its number is not used again.
            taken = [int(path.name) for path in home.iterdir() if path.name.isdecimal()]
            counter = max([last, *taken]) + 1
            folder = Path(tempfile.mkdtemp(dir=home, prefix=".arriving-"))
            try:
                yield folder, counter
                sync(folder)
                rename(folder, home / str(counter))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            write(home / _CURRENT, str(counter).encode())
            for number in taken:
                if number != last:
                    shutil.rmtree(home / str(number))

    def _of(self, tenant: str) -> Path:
        # A tenant's name may hold anything; its hash is always a folder's name.
        return self._folder / hashlib.sha256(tenant.encode()).hexdigest()[:32]

    def _counter(self, tenant: str, name: str) -> int:
        try:
            return int((self._of(tenant) / name / _CURRENT).read_text())
        except FileNotFoundError:
            return 0
