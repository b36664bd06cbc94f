"""Whether a file is what a manifest says."""

from __future__ import annotations

from pathlib import Path

from core.errors import BundleTampered, BundleTruncated
from core.modelstore import file_sha256
from edge.manifest import Artefact


def check(path: Path, artefact: Artefact) -> None:
    """Raise `BundleTruncated` when the file is shorter than the artefact, `BundleTampered` when it is another one."""
    size = path.stat().st_size if path.is_file() else 0
    if size < artefact.size:
        raise BundleTruncated(f"{artefact.id}: {size} of {artefact.size} bytes are here", param=artefact.id)
    if size != artefact.size or file_sha256(path) != artefact.sha256:
        raise BundleTampered(f"{artefact.id}: the file is not the one that was signed", param=artefact.id)
