"""A device's step, the model that many of them make, and how it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from core.errors import CorruptArtefact
from tabular.federated.local import improve, sigmoid
from tabular.federated.model import FILE, FederatedModel, packed, weights_of
from tabular.federated.task import Floats, Rows
from tests.unit.tabular.federated.making import TASK, people, plan

ROWS = TASK.rows(people(40, 1))


def loss(weights: Floats, rows: Rows) -> float:
    odds = rows.features @ weights
    return float(np.mean(np.logaddexp(0, odds) - rows.labels * odds))


def test_a_step_lowers_the_devices_own_loss_and_comes_again_with_its_seed() -> None:
    start, wanted = np.zeros(TASK.dimension), plan(epochs=3, batch=8, rate=0.3)
    update = improve(start, ROWS, wanted, seed=5)
    assert loss(start + update, ROWS) < loss(start, ROWS) - 0.1
    assert improve(start, ROWS, wanted, seed=5).tolist() == update.tolist()
    assert improve(start, ROWS, wanted, seed=6).tolist() != update.tolist()
    assert not start.any()


def test_one_whole_batch_is_one_step_down_the_gradient() -> None:
    start = np.full(TASK.dimension, 0.2)
    off = sigmoid(ROWS.features @ start) - ROWS.labels
    wanted = -0.3 * ROWS.features.T @ off / len(ROWS)
    np.testing.assert_allclose(improve(start, ROWS, plan(rate=0.3, batch=40), seed=1), wanted)


def test_a_device_without_rows_changes_nothing() -> None:
    assert not improve(np.ones(TASK.dimension), TASK.rows([]), plan(), seed=1).any()


def test_the_logistic_function_has_no_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"delta": 0.02}, "given away whole"),
        ({"epsilon": 0}, "greater than 0"),
        ({"epsilon": 21}, "less than or equal to 20"),
        ({"share": 0}, "share"),
        ({"noise": 0.1}, "noise"),
        ({"clip": float("nan")}, "clip"),
        ({"sampling": 0.1}, "sampling"),
    ],
)
def test_terms_that_promise_nothing_are_refused(wrong: dict[str, float], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        plan(**wrong)


def test_a_model_is_kept_as_it_was(tmp_path: Path) -> None:
    weights = np.array([0.1, -0.2, 1 / 3, 4.0, -5.5])
    assert weights_of(packed(weights)).tolist() == weights.tolist()
    made = FederatedModel(task=TASK, weights=tuple(weights.tolist()), rounds=3, epsilon=1.5, delta=1e-3)
    loaded = FederatedModel.load(made.save(tmp_path))
    assert loaded == made
    row = people(1, 9)[0]
    assert loaded.probability(row) == pytest.approx(float(sigmoid(TASK.vector(row) @ weights)))


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "JSON"), ("{}", "required"), (None, "no file")],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / FILE
    if content is not None:
        path.write_text(content)
    with pytest.raises(CorruptArtefact, match=told):
        FederatedModel.load({FILE: path} if content is not None else {})


def test_a_model_with_weights_too_few_is_refused(tmp_path: Path) -> None:
    made = FederatedModel(task=TASK, weights=(1.0,), rounds=3, epsilon=1.5, delta=1e-3)
    with pytest.raises(CorruptArtefact, match="1 weights for 5"):
        FederatedModel.load(made.save(tmp_path))
