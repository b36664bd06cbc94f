"""The files of registered models: `models/<sha256>/<name>` in the workspace, whole or absent, verified before use.

Whoever shares a database between machines shares this folder too.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import CorruptArtefact, InvalidInput, NotFound
from core.modelstore import CTRANSLATE2, FORMATS
from core.versions import Artefact

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARRIVING = ".arriving-"
_STALE = 24 * 3600.0
_BLOCK = 2**20


class Shelf:
    """A folder of files by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, files: Mapping[str, Path]) -> tuple[Artefact, ...]:
        """Copy the files in, and return what they are, sorted by name. Keeping the same bytes again mends them.

        Raises `InvalidInput` without files, for a name that is none, for a format that may carry code, and for a file
        that cannot be read. A process that dies on the way leaves no file under its final name, or a whole one.
        """
        if not files:
            raise InvalidInput("a version needs at least one file", param="files")
        for name in files:
            _check(name)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._arriving() as arriving:
            return tuple(self._take(arriving, name, files[name]) for name in sorted(files))

    def path(self, artefact: Artefact) -> Path:
        """Where the verified file lies.

        Raises `NotFound` when it is gone or cannot be read, and `CorruptArtefact` when its bytes are others: then it
        is deleted, never opened, and registering the same bytes again brings it back.
        """
        held = self._folder / artefact.sha256 / artefact.name
        # Clients read this: where the workspace is, is none of theirs.
        named = f"{self._folder.name}/{artefact.sha256}/{artefact.name}"
        try:
            with held.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
        except FileNotFoundError:
            raise NotFound(f"{named} of a registered model is gone: register it again", param="model") from None
        except OSError as problem:
            raise NotFound(f"{named} cannot be read: {problem.strerror}", param="model") from problem
        if found != artefact.sha256:
            held.unlink(missing_ok=True)
            raise CorruptArtefact(f"{named} has the SHA-256 {found} instead: it has been deleted, register it again")
        return held

    def _take(self, arriving: Path, name: str, source: Path) -> Artefact:
        digest, size = hashlib.sha256(), 0
        written = arriving / name
        try:
            with source.open("rb") as reading, written.open("wb") as writing:
                while block := reading.read(_BLOCK):
                    digest.update(block)
                    size += writing.write(block)
                writing.flush()
                os.fsync(writing.fileno())
        except (FileNotFoundError, IsADirectoryError, PermissionError) as problem:
            raise InvalidInput(f"cannot read {source}: {problem.strerror}", param=f"files.{name}") from problem
        final = self._folder / digest.hexdigest() / name
        final.parent.mkdir(exist_ok=True, mode=0o700)
        written.replace(final)
        _settle(final.parent)
        _settle(self._folder)
        return Artefact(name, digest.hexdigest(), size)

    @contextmanager
    def _arriving(self) -> Iterator[Path]:
        """A folder for files on their way, on the same disk. What dead processes left is cleared away after a day."""
        for left in self._folder.glob(f"{_ARRIVING}*"):
            # Another process may be done with it, or clear it away as well.
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _STALE:
                    shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=_ARRIVING) as arriving:
            yield Path(arriving)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is no name for a model's file", param="files")
    if Path(name).suffix not in FORMATS and name != CTRANSLATE2:
        known = ", ".join(sorted(FORMATS))
        raise InvalidInput(f"{name}: only {known} and {CTRANSLATE2} files are kept", param=f"files.{name}")


def _settle(folder: Path) -> None:
    """Make the new name durable: a row is to stand for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
