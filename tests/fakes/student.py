"""Weights of a student that knows nothing."""

from __future__ import annotations

import numpy as np

from finetune.student.weights import StudentWeights


def weights_of_zeros(buckets: int, width: int, columns: int) -> StudentWeights:
    """All logits are zero."""
    shapes = ((buckets, width), (width,), (width, columns), (columns,))
    return StudentWeights(*(np.zeros(shape, np.float32) for shape in shapes))
