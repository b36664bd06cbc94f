"""Prepared forecasts as one file of JSON: the registry keeps no archives of arrays, and some hundred series are small.

The registry checks its SHA-256 whenever it is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptArtefact
from tabular.demand.prepared import Prepared

FORMAT = 1
FILE = "forecasts.json"

_DIGITS = 6
"""Significant ones: more of a piece than anybody knows."""

Floats = NDArray[np.float64]


def save(prepared: Prepared, folder: Path) -> dict[str, Path]:
    """Write the file into `folder`, which is made where it is missing, and say where it lies.

    Equal forecasts give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "format": FORMAT,
        "origin": prepared.origin.isoformat(),
        "names": prepared.names,
        "histories": prepared.histories.tolist(),
        "shares": prepared.shares,
        "means": _rounded(prepared.means),
        "dispersions": _rounded(prepared.dispersions),
    }
    file = folder / FILE
    file.write_text(json.dumps(told, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return {FILE: file}


def load(files: Mapping[str, Path]) -> Prepared:
    """Read what `save` wrote, wherever it lies now. Raises `CorruptArtefact` for anything else."""
    try:
        told = json.loads(files[FILE].read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise CorruptArtefact(f"these are forecasts of format {told['format']}, not {FORMAT}: train them anew")
        prepared = _prepared(told)
        found = _inconsistent(prepared)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as problem:
        raise CorruptArtefact(f"this file holds no forecasts: {problem}") from problem
    if found:
        raise CorruptArtefact(f"this file holds broken forecasts: {found}")
    return prepared


def _rounded(values: Floats) -> list[list[float]]:
    return [[float(f"{each:.{_DIGITS}g}") for each in row] for row in values.tolist()]


def _prepared(told: Mapping[str, Any]) -> Prepared:
    return Prepared(
        origin=date.fromisoformat(told["origin"]),
        names=tuple(str(each) for each in told["names"]),
        means=np.array(told["means"], np.float64),
        dispersions=np.array(told["dispersions"], np.float64),
        histories=np.array(told["histories"], np.int64),
        shares=tuple({str(name): float(share) for name, share in each.items()} for each in told["shares"]),
    )


def _inconsistent(prepared: Prepared) -> str | None:
    """What does not fit together, if something does not."""
    count = len(prepared.names)
    if prepared.means.ndim != 2 or not prepared.means.size:
        return "no days to come"
    shapes = {
        "means": (prepared.means.shape[:1], (count,)),
        "dispersions": (prepared.dispersions.shape, prepared.means.shape),
        "histories": (prepared.histories.shape, (count,)),
        "shares": ((len(prepared.shares),), (count,)),
    }
    for name, (found, wanted) in shapes.items():
        if found != wanted:
            return f"{name}: {found} where {wanted} was expected"
    if len(set(prepared.names)) < count:
        return "a name that comes twice"
    if not all(prepared.shares):
        return "a series without a model"
    if any(not np.isfinite(each).all() or (each < 0).any() for each in (prepared.means, prepared.dispersions)):
        return "a number that is none, or below zero"
    return None
