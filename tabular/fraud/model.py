"""The model of fraud: LightGBM over the features, with what each of them contributed to every score."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import orjson
from lightgbm.basic import LightGBMError

from core.errors import CorruptArtefact, InvalidInput
from tabular.features import Floats
from tabular.fraud.examples import Examples

ROUNDS = 300
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 7,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
"""Chosen among three on two weeks before the published test. Classes are not weighted, so that scores stay
probabilities."""

_MODEL, _CARD = "model.txt", "card.json"


class FraudModel:
    """A trained model, bound to the version of its features."""

    def __init__(self, booster: lightgbm.Booster, version: str, names: tuple[str, ...]) -> None:
        self._booster = booster
        self.version = version
        self.names = names

    def odds(self, vector: Floats) -> tuple[float, Floats]:
        """The probability of fraud, and each feature's share of the log odds, (features,).

        With a constant, those of any transaction, they add up to the log odds (TreeSHAP: Lundberg and others, 2020). On
        one thread: to wake others takes longer than the work.
        """
        told: Any = self._booster.predict(vector[None], pred_contrib=True, num_threads=1)
        shares: Floats = told[0]
        return _probability(float(shares.sum())), shares[:-1]

    def probabilities(self, vectors: Floats, threads: int = 1) -> Floats:
        """Judge many, (N, features) → (N,)."""
        told: Any = self._booster.predict(vectors, num_threads=threads)
        return np.asarray(told, dtype=np.float64)

    @cached_property
    def text(self) -> str:
        """The trees, as LightGBM writes them."""
        return str(self._booster.model_to_string())

    @cached_property
    def sha256(self) -> str:
        """Of the trees: names the model in decisions."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def save(self, folder: Path) -> dict[str, Path]:
        """Write the model's files into the folder; where each lies."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MODEL).write_text(self.text, encoding="utf-8")
        (folder / _CARD).write_bytes(orjson.dumps({"features": self.version, "names": self.names}))
        return {name: folder / name for name in (_MODEL, _CARD)}


def load(files: Mapping[str, Path], version: str, names: tuple[str, ...]) -> FraudModel:
    """Read a model from where each of its files lies.

    Raises `CorruptArtefact` when it is broken, `InvalidInput` when it is for other features.
    """
    try:
        card = orjson.loads(files[_CARD].read_bytes())
        text = files[_MODEL].read_text(encoding="utf-8")
        made_for, columns = card["features"], tuple(card["names"])
        booster = lightgbm.Booster(model_str=text)
    except (OSError, orjson.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, LightGBMError) as problem:
        raise CorruptArtefact(f"no model of fraud: {problem}") from problem
    if (made_for, columns) != (version, names):
        raise InvalidInput(f"the model was trained on the features {made_for}, these are {version}", param="model")
    if booster.num_feature() != len(names):
        raise CorruptArtefact(f"the trees take {booster.num_feature()} features, not {len(names)}")
    return FraudModel(booster, version, names)


def train(rows: Examples, version: str, names: tuple[str, ...], *, seed: int = 0, threads: int = 1) -> FraudModel:
    """Train on examples; equal ones give equal trees. Raises `InvalidInput` when all are fraud or none is."""
    if rows.fraud.all() or not rows.fraud.any():
        raise InvalidInput("training takes frauds and others", param="data")
    data = lightgbm.Dataset(rows.vectors, rows.fraud.astype(np.float64), feature_name=list(names))
    booster = lightgbm.train({**PARAMETERS, "seed": seed, "num_threads": threads}, data, ROUNDS)
    return FraudModel(booster, version, names)


def _probability(odds: float) -> float:
    return 1 / (1 + math.exp(-odds)) if odds > -700 else 0.0
