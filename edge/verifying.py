"""Whether a folder is a whole and signed bundle, without installing it."""

from __future__ import annotations

from pathlib import Path

from core.errors import NotFound
from edge.hashing import check
from edge.manifest import Manifest
from edge.shelf import MANIFEST
from edge.signing import Envelope, Trust


def verify_folder(folder: Path, trust: Trust) -> Manifest:
    """The manifest of the bundle in `folder`, once its signature and every file hold.

    Raises `NotFound` when there is no manifest, and the `BundleRefused` that fits.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"no bundle in {folder}: it has no {MANIFEST}", param="path") from None
    manifest, _ = trust.verify(Envelope.parse(content))
    for artefact in manifest.artefacts:
        check(folder / artefact.file, artefact)
    return manifest
