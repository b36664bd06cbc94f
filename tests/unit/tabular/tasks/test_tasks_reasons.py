import numpy as np
import pytest

from tabular.tasks.calibration import Calibration
from tabular.tasks.learners import fit_linear
from tabular.tasks.model import TaskModel
from tabular.tasks.reasons import agreement, reasons
from tests.unit.tabular.tasks.making import rows, task


@pytest.fixture
def model() -> TaskModel:
    encoding, learned = rows()
    fitted = fit_linear(learned, encoding)
    quartiles = np.array([[10.0, 80.0], [np.nan] * 2, [np.nan] * 2, [30.0, 70.0]])
    return TaskModel("loan", encoding, fitted.model, Calibration("sigmoid", (-1.0, 1.0), (-1.0, 1.0)), quartiles)


def test_what_did_most_is_said_first_with_its_direction(model: TaskModel) -> None:
    home = model.encoding.values[1].index("c")
    found = reasons(task(), model, np.array([5.0, home, 1.0, 40.0]), np.array([-2.0, -0.5, 0.0, 0.7]))
    assert [(each.column, each.weight, each.text) for each in found] == [
        ("income", -2.0, "earns 5 (less than most): speaks against paying back"),
        ("age", 0.7, "40 years old: speaks for paying back"),
        ("home", -0.5, "lives in: c: speaks against paying back"),
    ]
    assert [each.value for each in found] == ["5", "40", "c"]


def test_what_is_not_known_is_a_reason_too(model: TaskModel) -> None:
    row = np.array([np.nan, np.nan, 0.0, 95.0])
    found = {
        each.column: (each.value, each.text) for each in reasons(task(), model, row, np.array([1.0, 2.0, 3.0, 4.0]))
    }
    assert found["income"] == (None, "income is not known: speaks for paying back")
    assert found["owner"][1] == "rents it: speaks for paying back"
    assert found["age"][1] == "95 years old (more than most): speaks for paying back"
    assert len(reasons(task(), model, row, np.array([1.0, 2.0, 3.0, 4.0]), most=2)) == 2


def test_agreement_by_hand() -> None:
    assert agreement([3, 2, 1], [30, 20, 10]) == pytest.approx((1, 1))
    assert agreement([3, 2, -1], [-3, -2, 1]) == pytest.approx((-1, 0))
    # Ranks (0, 2, 1) against (0, 1, 2).
    assert agreement([-9, 4, 1], [-1, 1, 2])[0] == pytest.approx(0.5)
    assert agreement([5, 1, -2], [1, -1, -1], top=2) == pytest.approx((0.8660254, 1))
    assert agreement([1, 2], [0, 0])[0] == 0
