"""Candidates for the model registry, of a few bytes each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.gates import Interval, Metric
from core.versions import Candidate, Kind, Lineage

MODEL = "house-adapter"


def measured(value: float, *, around: float = 0.02, cases: int = 200, **more: Any) -> Metric:
    return Metric(Interval(value, value - around, value + around, cases), **more)


def candidate(folder: Path, content: str = "weights", **changes: Any) -> Candidate:
    """One with a file that says `content`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{content}.gguf"
    file.write_text(content)
    chosen: dict[str, Any] = {
        "model": MODEL,
        "kind": Kind.ADAPTER,
        "files": {"adapter.gguf": file},
        "lineage": Lineage(base="b" * 64, data="d" * 64, recipe="r" * 64, code="abc1234"),
        "metrics": {"tools/exact": measured(0.86)},
        "card": "# House adapter\n\nTuned for tools.",
    }
    return Candidate(**{**chosen, **changes})
