"""Files that are whole or absent, also after a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put the content into the file at once: whoever looks sees the old content or the new, never a part of it."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)  # The file may be left from before, with another mode.
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    rename(partial, path)


def rename(source: Path, target: Path) -> None:
    """Rename, and make the new name last."""
    source.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Force a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
