"""What the model registry takes: each fault of a candidate, a plan or a reason is told by its name and place."""

from __future__ import annotations

import math
import re
from dataclasses import asdict

from core.canonical import storable
from core.errors import InvalidInput
from core.gates import sound
from core.versions import LARGEST_SHARE, NAME, Candidate, Mode, Plan

_METRIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@ -]{0,99}")
_CARD = 100_000
_MARK = 200
_WHY = 2000


def check_candidate(candidate: Candidate) -> None:
    """Raise `InvalidInput` for the first thing that is wrong with it; its files are looked at when they are kept."""
    if not re.fullmatch(NAME, candidate.model):
        raise InvalidInput(f"{candidate.model!r} is no name for a model: {NAME}", param="model")
    for name, metric in candidate.metrics.items():
        if not _METRIC.fullmatch(name):
            raise InvalidInput(f"{name!r} is no name for a metric", param="metrics")
        if (wrong := sound(metric.interval)) is not None:
            raise InvalidInput(f"the metric {name}: {wrong}", param=f"metrics.{name}")
        if metric.limit is not None and not math.isfinite(metric.limit):
            raise InvalidInput(f"the metric {name}: its limit must be a finite number", param=f"metrics.{name}")
    if len(candidate.card) > _CARD or not storable(candidate.card):
        raise InvalidInput(f"a model card is text of at most {_CARD} characters", param="card")
    for part, text in asdict(candidate.lineage).items():
        if len(text) > _MARK or not storable(text) or (part != "base" and not text):
            raise InvalidInput(f"the lineage's {part} is missing, or is no hash or revision", param=f"lineage.{part}")


def check_plan(plan: Plan) -> None:
    """Raise `InvalidInput` for a plan by which nothing could be compared."""
    if plan.mode is Mode.CANARY and not 1 <= plan.percent <= LARGEST_SHARE:
        told = f"a canary takes 1 to {LARGEST_SHARE} percent: with more, too few are left to compare it with"
        raise InvalidInput(told, param="percent")
    if plan.mode is Mode.SHADOW and plan.percent:
        raise InvalidInput("a shadow answers nobody, so it has no share", param="percent")


def check_why(why: str) -> None:
    """Raise `InvalidInput` when no reason is given: the ledger is there to tell why."""
    if not why.strip() or len(why) > _WHY or not storable(why):
        raise InvalidInput(f"say why, in at most {_WHY} characters", param="why")
