"""Versions of segments and of what is usual, made by hand; what they are said to be measured is up to the test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.anomalies import served as anomalies
from app.segments import served as segments
from core.registry import Registry
from core.versions import Candidate, Kind, Lineage
from tabular.tasks.anomalies import Anomalies, find_usual
from tabular.tasks.segments import Segment, Segments
from tabular.tasks.storing import save
from tests.fakes.candidates import measured

MOMENT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def two_segments(words: str = "spends") -> Segments:
    """Two, apart by spending alone: around 1,000 and 30."""
    each = (
        Segment(f"{words} much", 10, 0.87654, 3.14, 12.0, 1000.5),
        Segment(f"{words} little", 30, 0.12346, 90.0, 1.0, 31.0),
    )
    middles = np.array([[0.0, 0.0, np.log1p(1000)], [0.0, 0.0, np.log1p(30)]])
    return Segments(np.zeros(3), np.array([100.0, 100.0, 1.0]), middles, each, 0.4)


def segments_candidate(folder: Path, words: str = "spends") -> Candidate:
    told = {"moment": MOMENT.isoformat(), "segments": two_segments(words).told()}
    files = save(segments.MODEL, told, folder / words)
    metrics = {"held-out/silhouette": measured(0.4)}
    return Candidate(segments.MODEL, Kind.TABULAR, files, Lineage("", "d" * 64, words, "abc1234"), metrics)


def usual(*names: str, seed: int = 0) -> Anomalies:
    """What is usual of columns that lie around 100 with a spread of 10."""
    return find_usual(names, np.random.default_rng(seed).normal(100, 10, (500, len(names))))


def anomalies_candidate(folder: Path, *names: str, seed: int = 0) -> Candidate:
    files = save(anomalies.MODEL, usual(*names, seed=seed).told(), folder / f"usual {seed}")
    metrics = {"test/pushed-out-auc": measured(0.8)}
    return Candidate(anomalies.MODEL, Kind.TABULAR, files, Lineage("", "d" * 64, f"r{seed}", "abc1234"), metrics)


async def promoted(registry: Registry, made: Candidate) -> int:
    """Register and promote; the version's number."""
    version = await registry.register(made, "local:ada")
    await registry.promote(made.model, version.number, "local:ada", "because")
    return version.number
