"""Prepared forecasts as a folder of two files, without pickles: `forecasts.npz` with the numbers, `forecasts.json`.

The JSON has the SHA-256 of the numbers, so that halves of two of them are not taken for one.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptArtefact
from tabular.demand.prepared import Prepared

FORMAT = 1
NUMBERS, NAMES = "forecasts.npz", "forecasts.json"


def save(prepared: Prepared, folder: Path) -> dict[str, Path]:
    """Write the files into `folder`, which is made where it is missing, and say where they lie.

    Equal forecasts give equal bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **_arrays(prepared))
    numbers = buffer.getvalue()
    card = {
        "format": FORMAT,
        "sha256": hashlib.sha256(numbers).hexdigest(),
        "origin": prepared.origin.isoformat(),
        "names": prepared.names,
        "shares": prepared.shares,
    }
    files = {NUMBERS: folder / NUMBERS, NAMES: folder / NAMES}
    files[NUMBERS].write_bytes(numbers)
    files[NAMES].write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
    return files


def load(files: Mapping[str, Path]) -> Prepared:
    """Read what `save` wrote, wherever the two files lie. Raises `CorruptArtefact` for anything else."""
    try:
        card = json.loads(files[NAMES].read_text(encoding="utf-8"))
        numbers = files[NUMBERS].read_bytes()
        if card["format"] != FORMAT:
            raise CorruptArtefact(f"these are forecasts of format {card['format']}, not {FORMAT}: train them anew")
        if hashlib.sha256(numbers).hexdigest() != card["sha256"]:
            raise CorruptArtefact(f"{NUMBERS} is not what {NAMES} was written for")
        with np.load(io.BytesIO(numbers), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        prepared = _prepared(card, arrays)
        found = _inconsistent(prepared)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as problem:
        raise CorruptArtefact(f"these files hold no forecasts: {problem}") from problem
    if found:
        raise CorruptArtefact(f"these files hold broken forecasts: {found}")
    return prepared


def _arrays(prepared: Prepared) -> dict[str, NDArray[Any]]:
    # Half the size, and seven digits of a piece are more than anybody knows.
    return {
        "means": prepared.means.astype(np.float32),
        "dispersions": prepared.dispersions.astype(np.float32),
        "histories": prepared.histories.astype(np.int64),
    }


def _prepared(card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Prepared:
    return Prepared(
        origin=date.fromisoformat(card["origin"]),
        names=tuple(str(each) for each in card["names"]),
        means=arrays["means"].astype(np.float64),
        dispersions=arrays["dispersions"].astype(np.float64),
        histories=arrays["histories"].astype(np.int64),
        shares=tuple({str(name): float(share) for name, share in each.items()} for each in card["shares"]),
    )


def _inconsistent(prepared: Prepared) -> str | None:
    """What does not fit together, if something does not."""
    count = len(prepared.names)
    if prepared.means.ndim != 2 or not prepared.means.shape[1]:
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
    if any(not np.isfinite(each).all() or (each < 0).any() for each in (prepared.means, prepared.dispersions)):
        return "a number that is none, or below zero"
    return None
