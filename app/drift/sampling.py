"""The model of fraud in the words of drift: its features, its score and the kinds of cards and terminals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tabular.drift.reference import Sample
from tabular.features import Floats
from tabular.fraud.features import FraudFeatures
from tabular.fraud.segments import segments

SCORE = "score"
"""The column of what the model said."""


def fraud_sample(at: NDArray[np.int64], vectors: Floats, scores: Floats) -> Sample:
    """Transactions as a sample: `at` in milliseconds, (N,); features (N, features); the model's probabilities (N,)."""
    numbers = {name: vectors[:, place] for place, name in enumerate(FraudFeatures.names)}
    return Sample(at, {**numbers, SCORE: scores}, segments(vectors))
