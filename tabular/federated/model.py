"""The model that comes out: weights over declared columns, and the promise under which they were learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from core.errors import CorruptArtefact
from tabular.federated.local import sigmoid
from tabular.federated.task import Floats, Rows, Task

FILE = "federated.json"


class FederatedModel(BaseModel):
    """Weights and what they cost: `epsilon` at `delta`, for one device, over so many rounds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Task
    weights: tuple[FiniteFloat, ...]
    rounds: int = Field(ge=1)
    epsilon: float = Field(ge=0)
    delta: float = Field(gt=0, lt=1)

    def probability(self, row: Mapping[str, str]) -> float:
        """How likely the answer is yes. Raises `InvalidInput` for a row without a declared column."""
        return float(sigmoid(self.task.vector(row) @ np.asarray(self.weights)))

    def save(self, folder: Path) -> dict[str, Path]:
        """Write the model as JSON; the files by name."""
        path = folder / FILE
        path.write_text(self.model_dump_json(indent=1) + "\n")
        return {FILE: path}

    @classmethod
    def load(cls, files: Mapping[str, Path]) -> FederatedModel:
        """Read a saved model. Raises `CorruptArtefact` when it is none, or has not a weight for each feature."""
        if FILE not in files:
            raise CorruptArtefact(f"the model has no file {FILE}")
        try:
            found = cls.model_validate_json(files[FILE].read_bytes())
        except ValidationError as problem:
            raise CorruptArtefact(f"{FILE}: {problem.errors()[0]['msg']}") from problem
        if len(found.weights) != found.task.dimension:
            raise CorruptArtefact(f"{FILE} has {len(found.weights)} weights for {found.task.dimension} features")
        return found


def hits(weights: Floats, rows: Rows) -> Floats:
    """For each row whether the likelier answer is the right one, (N,) of 0 and 1."""
    told: Floats = ((rows.features @ weights > 0) == (rows.labels > 0.5)).astype(np.float64)
    return told


def accuracy(weights: Floats, rows: Rows) -> float:
    """The share of right answers. Raises `ValueError` without rows."""
    if not len(rows):
        raise ValueError("there are no rows to be measured on")
    return float(hits(weights, rows).mean())


def weights_of(packed: bytes) -> Floats:
    """Weights as the database keeps them."""
    return np.frombuffer(packed, dtype="<f8").astype(np.float64)


def packed(weights: Floats | Sequence[float]) -> bytes:
    """Weights for the database, to the bit."""
    return np.asarray(weights, dtype="<f8").tobytes()
