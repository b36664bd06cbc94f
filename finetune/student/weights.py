"""A student's weights in float: what training gives and conversion takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptArtefact

Floats = NDArray[np.float32]
_NAMES = ("body", "body_bias", "heads", "heads_bias")


@dataclass(frozen=True, slots=True)
class StudentWeights:
    """Two layers with a ReLU between: `body` (buckets, width), `heads` (width, K), and their biases."""

    body: Floats
    body_bias: Floats
    heads: Floats
    heads_bias: Floats

    def logits(self, vectors: Floats) -> Floats:
        """The logits (n, K) of hashed texts (n, buckets)."""
        inner = np.maximum(vectors @ self.body + self.body_bias, 0)
        logits: Floats = inner @ self.heads + self.heads_bias
        return logits

    def save(self, path: Path) -> None:
        """Write an npz file without pickles."""
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **{name: getattr(self, name) for name in _NAMES})

    @classmethod
    def load(cls, path: Path) -> StudentWeights:
        """Read what `save` wrote. Raises `CorruptArtefact` for any other file."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return cls(*(stored[name].astype(np.float32) for name in _NAMES))
        except (OSError, ValueError, EOFError, KeyError, BadZipFile) as problem:
            raise CorruptArtefact(f"{path} holds no weights of a student: {problem}") from problem
