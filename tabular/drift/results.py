"""What a check says, as it is told, kept and drawn: nothing here computes, so nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from core.errors import CorruptArtefact

AUC, AVERAGE_PRECISION, CALIBRATION = "auc", "average precision", "calibration"


@dataclass(frozen=True, slots=True)
class Apart:
    """A distance, the part of it that chance would make, and the probability that chance makes as much."""

    distance: float
    chance: float
    p: float

    @property
    def effect(self) -> float:
        """The part beyond chance."""
        return max(self.distance - self.chance, 0.0)


@dataclass(frozen=True, slots=True)
class Usual:
    """How much the reference's windows vary: `inflation` times as much as independent rows, in all, along about
    `freedom` directions; `windows` were there to tell from. `cumulative` is the largest inflation of a cumulative
    share.
    """

    inflation: float
    freedom: float
    cumulative: float
    windows: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A column then and now: shares of the reference and of the window by bin, and how far apart they lie.

    `ks` is None for groups.
    """

    name: str
    group: bool
    bins: tuple[str, ...]
    before: tuple[float, ...]
    now: tuple[float, ...]
    psi: Apart
    ks: Apart | None
    usual: Usual


@dataclass(frozen=True, slots=True)
class Achieved:
    """A figure of a window beside the reference's: `low` and `high` enclose 95 % of what would be usual.

    `p` is the probability of as much or more, in the direction that is worse; for a calibration in both directions.
    """

    name: str
    before: float
    low: float
    high: float
    now: float
    error: float
    p: float


class About(StrEnum):
    """What a finding is about: what the model meets, who is there, or what the model achieves."""

    FEATURE = "feature"
    SEGMENT = "segment"
    PERFORMANCE = "performance"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something has moved: how far beyond chance, the bound that it passed, its probability after Holm, in words."""

    name: str
    about: About
    measure: str
    effect: float
    bound: float
    p: float
    words: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others, from check to check."""
        return self.name, self.about.value


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and in words what nothing could be said about, and why."""

    compared: tuple[Compared, ...] = ()
    achieved: tuple[Achieved, ...] = ()
    findings: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()

    def dump(self) -> bytes:
        """As JSON."""
        return _ADAPTER.dump_json(self)


_ADAPTER = TypeAdapter(Check)


def load_check(data: bytes) -> Check:
    """Read what `dump` wrote. Raises `CorruptArtefact`."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as problem:
        raise CorruptArtefact(f"no check: {problem.errors()[0]['msg']}") from problem
