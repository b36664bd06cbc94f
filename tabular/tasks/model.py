"""A task's model: what it takes, how it judges, and its files. No file of it can carry code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from core.errors import CorruptArtefact, InvalidInput, MissingExtra
from tabular.tasks.calibration import Calibration
from tabular.tasks.encoding import Encoding, Floats
from tabular.tasks.linear import Linear
from tabular.tasks.task import Task

if TYPE_CHECKING:
    from tabular.tasks.trees import Trees

CARD, TREES = "card.json", "model.txt"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model says of N rows.

    `margins` are log odds as the model has them, and `shares`, (N, features), add up to them with `base`.
    `probabilities` are the margins calibrated.
    """

    probabilities: Floats
    margins: Floats
    shares: Floats
    base: float


@dataclass(frozen=True)
class TaskModel:
    """A trained model. `quartiles`, (features, 2), are the lower and the upper of each number in training."""

    task: str
    encoding: Encoding
    learner: Trees | Linear
    calibration: Calibration
    quartiles: Floats

    def probabilities(self, matrix: Floats) -> Floats:
        """Judge rows, (N, features) → (N,)."""
        return self.calibration.probabilities(self.learner.margins(matrix))

    def judge(self, matrix: Floats) -> Judged:
        """Judge rows and say what each feature did."""
        shares, base = self.learner.contributions(matrix)
        margins = np.asarray(shares.sum(axis=1) + base)
        return Judged(self.calibration.probabilities(margins), margins, shares, base)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The model's files by name."""
        told: dict[str, Any] = {
            "format": _FORMAT,
            "task": self.task,
            "kind": self.learner.kind,
            "encoding": self.encoding.told(),
            "calibration": self.calibration.told(),
            "quartiles": self.quartiles.tolist(),
        }
        if isinstance(self.learner, Linear):
            return {CARD: orjson.dumps({**told, "linear": self.learner.told()})}
        return {CARD: orjson.dumps(told), TREES: self.learner.text().encode()}

    @cached_property
    def sha256(self) -> str:
        """Of all its files: names the model in answers."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    def save(self, folder: Path) -> dict[str, Path]:
        """Write the model's files into the folder; where each lies."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return {name: folder / name for name in self.files}


def load(files: Mapping[str, Path], task: Task) -> TaskModel:
    """Read a model from where each of its files lies.

    Raises `CorruptArtefact` when it is broken, `InvalidInput` when it is of another task or other columns,
    `MissingExtra` when it takes LightGBM and that is not installed.
    """
    try:
        card = orjson.loads(files[CARD].read_bytes())
        if card["format"] != _FORMAT:
            raise ValueError(f"its format is {card['format']}, not {_FORMAT}")
        encoding = Encoding.read(card["encoding"])
        learner = _learner(card, files)
        calibration = Calibration.read(card["calibration"])
        quartiles = np.array([[np.nan if each is None else each for each in pair] for pair in card["quartiles"]])
        takes = len(learner.parts.sizes) if isinstance(learner, Linear) else learner.features
        if not len(encoding.names) == len(encoding.values) == takes or quartiles.shape != (takes, 2):
            raise ValueError("its parts take different numbers of features")
        made_for = card["task"]
    except (OSError, orjson.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as problem:
        raise CorruptArtefact(f"no model of a task: {problem}") from problem
    if (made_for, encoding.names) != (task.name, tuple(each.name for each in task.features)):
        raise InvalidInput(
            f"the model is of the task {made_for}, or of other columns than {task.name} has", param="model"
        )
    return TaskModel(made_for, encoding, learner, calibration, quartiles.astype(np.float64))


def _learner(card: Mapping[str, Any], files: Mapping[str, Path]) -> Trees | Linear:
    if card["kind"] == Linear.kind:
        return Linear.read(card["linear"])
    if find_spec("lightgbm") is None:
        raise MissingExtra("lightgbm", "tabular")
    # Takes a second to import, which only those whose model has trees wait for.
    from lightgbm.basic import LightGBMError

    from tabular.tasks.trees import Trees

    try:
        return Trees.read(files[TREES].read_text(encoding="utf-8"))
    except LightGBMError as problem:
        raise ValueError(str(problem)) from problem
