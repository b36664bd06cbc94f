"""Whether probabilities mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_BINS = 15
_RIGHT = 0.95
# Fewer answers than this say too little about how often such answers are right.
_FEWEST = 20


def calibration_error(confidence: ArrayLike, right: ArrayLike) -> float:
    """Expected calibration error over fifteen bins of equal width (Guo et al. 2017); 0.0 for no answers."""
    sure, hit = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = (abs(hit[bins == place].sum() - sure[bins == place].sum()) for place in range(_BINS))
    return float(sum(gaps) / max(1, sure.size))


def sure_from(confidence: ArrayLike, right: ArrayLike) -> float:
    """The lowest probability from which 95 of 100 answers are right; 1.0 when none is such."""
    sure, hit = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    order = np.argsort(-sure, kind="stable")
    answered = np.arange(1, sure.size + 1)
    share = np.cumsum(hit[order]) / answered
    # Of equal probabilities all are answered or none.
    last = np.append(np.diff(sure[order]) != 0, True)[: sure.size]
    enough = np.flatnonzero(last & (share >= _RIGHT) & (answered >= min(_FEWEST, sure.size)))
    return float(sure[order][enough[-1]]) if enough.size else 1.0
