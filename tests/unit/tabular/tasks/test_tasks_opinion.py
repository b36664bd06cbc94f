import numpy as np

from tabular.tasks.calibration import Calibration
from tabular.tasks.learners import fit_linear
from tabular.tasks.model import TaskModel
from tabular.tasks.opinion import SecondOpinion
from tests.unit.tabular.tasks.making import rows


def test_lime_agrees_with_a_model_that_is_a_line_and_takes_gaps() -> None:
    encoding, learned = rows()
    fitted = fit_linear(learned, encoding)
    model = TaskModel(
        "loan", encoding, fitted.model, Calibration("sigmoid", (-1.0, 1.0), (-1.0, 1.0)), np.full((4, 2), np.nan)
    )
    second = SecondOpinion(model, learned.matrix, seed=1)
    random = np.random.default_rng(0)
    chosen = [
        *random.choice(len(learned.matrix), 12, replace=False),
        int(np.flatnonzero(np.isnan(learned.matrix[:, 1]))[0]),
    ]
    shares = model.judge(learned.matrix).shares
    found = [second.of(learned.matrix[place], shares[place]) for place in chosen]
    assert np.mean([each.rank for each in found]) > 0.6
    assert all(np.isfinite(each.weights).all() for each in found)
    # Against shares that were turned round, it disagrees.
    assert np.mean([second.of(learned.matrix[place], -shares[place]).rank for place in chosen]) < -0.6
