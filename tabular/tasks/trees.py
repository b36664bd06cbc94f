"""The other candidate: gradient boosted trees (LightGBM), categories as they are."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np

from tabular.tasks.encoding import Floats


class Trees:
    """A trained booster. Its shares of the margin are TreeSHAP's (Lundberg and others 2020)."""

    kind = "trees"

    def __init__(self, booster: lightgbm.Booster) -> None:
        self._booster = booster

    @classmethod
    def read(cls, text: str) -> Trees:
        """From the text of `text`. Raises `lightgbm.basic.LightGBMError` for something else."""
        return cls(lightgbm.Booster(model_str=text))

    @property
    def features(self) -> int:
        """How many features the trees take."""
        return int(self._booster.num_feature())

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """Each feature's share of the margin, (N, features), and what is to be added to their sum."""
        told: Any = self._booster.predict(matrix, pred_contrib=True, num_threads=1)
        shares = np.asarray(told, dtype=np.float64)
        return shares[:, :-1], float(shares[0, -1]) if len(shares) else 0.0

    def margins(self, matrix: Floats) -> Floats:
        """The log odds, (N,)."""
        told: Any = self._booster.predict(matrix, raw_score=True, num_threads=1)
        return np.asarray(told, dtype=np.float64)

    def text(self) -> str:
        """The trees, as LightGBM writes them."""
        return str(self._booster.model_to_string())
