"""The hash of a file, and whether a file is what a manifest says."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.errors import BundleTampered, BundleTruncated
from edge.manifest import Artefact


def sha256_of(path: Path) -> str:
    """The SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: Path, artefact: Artefact) -> None:
    """Raise `BundleTruncated` when the file is shorter than the artefact, `BundleTampered` when it is another one."""
    size = path.stat().st_size if path.is_file() else 0
    if size < artefact.size:
        raise BundleTruncated(f"{artefact.id}: {size} of {artefact.size} bytes are here", param=artefact.id)
    if size != artefact.size or sha256_of(path) != artefact.sha256:
        raise BundleTampered(f"{artefact.id}: the file is not the one that was signed", param=artefact.id)
