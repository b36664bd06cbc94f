"""Versions of a task's model, trained on a few made-up rows; what they are said to be measured is up to the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.demo.tables import subscribers
from core.gates import Metric
from core.versions import Candidate, Kind, Lineage
from tabular.tasks.calibration import Calibration
from tabular.tasks.churn import CHURN
from tabular.tasks.encoding import Encoding
from tabular.tasks.learners import Rows, fit_linear
from tabular.tasks.model import TaskModel
from tests.fakes.candidates import measured


def churn_model(seed: int = 0) -> TaskModel:
    rows = subscribers(300, seed)
    columns = {each.name: [row[each.name] or None for row in rows] for each in CHURN.columns}
    encoding = Encoding.learned(CHURN, columns)
    target = np.array([row["Churn"] == "Yes" for row in rows])
    learned = Rows(encoding.matrix(columns), target, np.ones(300), np.arange(300) % 2)
    fitted = fit_linear(learned, encoding, penalties=(0.1,))
    quartiles = np.full((len(encoding.names), 2), np.nan)
    return TaskModel("churn", encoding, fitted.model, Calibration("sigmoid", (-1.0, 1.0), (-1.0, 1.0)), quartiles)


def churn_candidate(folder: Path, seed: int = 0, *, ratio: float | None = 0.9) -> Candidate:
    """`ratio` is that of selection rates, which the task limits; None: nobody measured fairness."""
    metrics: dict[str, Metric] = {"test/auc": measured(0.8)}
    if ratio is not None:
        metrics["fairness/gender/selection-ratio"] = measured(ratio, gates=False, limit=0.8)
        metrics["fairness/gender/odds-difference"] = measured(0.05, gates=False, limit=0.1, lower_is_better=True)
    files = churn_model(seed).save(folder / f"churn {seed}")
    return Candidate("churn", Kind.TABULAR, files, Lineage("", "d" * 64, f"r{seed}", "abc1234"), metrics)
