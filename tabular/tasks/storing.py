"""A model that is numbers and words only, as one file of JSON: the segments, and what is usual of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from core.errors import CorruptArtefact

FORMAT = 1
FILE = "model.json"

Model = TypeVar("Model")


def save(kind: str, told: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write what a model tells of itself into the folder, which is made where it is missing; where the file lies.

    Equal models give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(orjson.dumps({"format": FORMAT, "kind": kind, "model": told}))
    return {FILE: folder / FILE}


def load(kind: str, files: Mapping[str, Path], read: Callable[[Mapping[str, Any]], Model]) -> Model:
    """What `read` makes of a saved model of the kind. Raises `CorruptArtefact` for anything else."""
    try:
        told = orjson.loads(files[FILE].read_bytes())
        if (told["format"], told["kind"]) != (FORMAT, kind):
            raise ValueError(f"it is {told['kind']} of format {told['format']}, not {kind} of format {FORMAT}")
        return read(told["model"])
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as problem:
        raise CorruptArtefact(f"this file holds no {kind}: {problem}") from problem
