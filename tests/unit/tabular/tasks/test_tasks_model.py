from pathlib import Path

import numpy as np
import orjson
import pytest

from core.errors import CorruptArtefact, InvalidInput
from tabular.tasks.calibration import Calibration
from tabular.tasks.encoding import Encoding
from tabular.tasks.learners import fit_linear, fit_trees
from tabular.tasks.model import CARD, TaskModel, load
from tests.unit.tabular.tasks.making import loans, rows, task

CALIBRATION = Calibration("sigmoid", (-1.0, 1.0), (-0.9, 1.1))


def made(kind: str) -> tuple[TaskModel, np.ndarray]:
    encoding, learned = rows()
    fitted = (
        fit_linear(learned, encoding) if kind == "linear" else fit_trees(learned, encoding, seed=1, rounds=(20, 40))
    )
    quartiles = np.array([[10.0, 80.0], [np.nan] * 2, [np.nan] * 2, [30.0, 70.0]])
    return TaskModel("loan", encoding, fitted.model, CALIBRATION, quartiles), learned.matrix


@pytest.fixture(params=["linear", "trees"])
def judged(request: pytest.FixtureRequest) -> tuple[TaskModel, np.ndarray]:
    return made(request.param)


def test_shares_add_up_to_the_log_odds(judged: tuple[TaskModel, np.ndarray]) -> None:
    model, matrix = judged
    told = model.judge(matrix)
    assert told.shares.shape == matrix.shape
    np.testing.assert_allclose(told.shares.sum(axis=1) + told.base, model.learner.margins(matrix), atol=1e-9)
    np.testing.assert_allclose(told.probabilities, model.probabilities(matrix), atol=1e-9)
    # What says most is income and home; owner and age say nothing.
    income, home, owner, age = np.abs(told.shares).mean(axis=0)
    assert min(income, home) > 2 * max(owner, age)


def test_shares_are_against_the_mean_row(judged: tuple[TaskModel, np.ndarray]) -> None:
    model, matrix = judged
    shares = model.judge(matrix).shares
    assert np.abs(shares.mean(axis=0)).max() < 0.1 * np.abs(shares).mean(axis=0).max()


def test_it_is_saved_and_loaded_to_the_bit_without_code(judged: tuple[TaskModel, np.ndarray], tmp_path: Path) -> None:
    model, matrix = judged
    files = model.save(tmp_path)
    assert {each.suffix for each in files.values()} <= {".json", ".txt"}
    again = load(files, task())
    assert np.array_equal(again.probabilities(matrix), model.probabilities(matrix))
    assert np.array_equal(again.judge(matrix).shares, model.judge(matrix).shares)
    assert np.array_equal(again.quartiles, model.quartiles, equal_nan=True)
    assert again.sha256 == model.sha256


def test_it_is_bound_to_its_task(judged: tuple[TaskModel, np.ndarray], tmp_path: Path) -> None:
    files = judged[0].save(tmp_path)
    with pytest.raises(InvalidInput, match="of the task loan"):
        load(files, task(name="lease"))
    with pytest.raises(InvalidInput, match="other columns"):
        load(files, task(protected=()))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"kind": "magic"},
        {"linear": None},
        {"quartiles": [[0, 1]]},
        {"calibration": {"kind": "sigmoid"}},
        {"encoding": {"names": ["income"], "values": [[]]}},
    ],
)
def test_a_broken_card_is_told(tmp_path: Path, changes: dict[str, object]) -> None:
    files = made("linear")[0].save(tmp_path)
    files[CARD].write_bytes(orjson.dumps({**orjson.loads(files[CARD].read_bytes()), **changes}))
    with pytest.raises(CorruptArtefact):
        load(files, task())


def test_broken_files_are_told(tmp_path: Path) -> None:
    files = made("trees")[0].save(tmp_path)
    files["model.txt"].write_text("no trees")
    with pytest.raises(CorruptArtefact):
        load(files, task())
    files[CARD].write_bytes(b"{")
    with pytest.raises(CorruptArtefact):
        load(files, task())
    with pytest.raises(CorruptArtefact):
        load({}, task())


def test_values_that_training_never_met_are_unknown() -> None:
    columns, _ = loans()
    encoding = Encoding.learned(task(), columns)
    row: dict[str, list[str | None]] = {"income": [None], "home": ["z"], "owner": ["Yes"], "sex": ["F"], "age": ["40"]}
    assert np.isnan(encoding.matrix(row)[0]).tolist() == [True, True, False, False]
    assert encoding.matrix(row)[0, 2:].tolist() == [1.0, 40.0]
    home = encoding.names.index("home")
    assert [encoding.text(home, code) for code in (0.0, float("nan"))] == [encoding.values[home][0], None]
    assert encoding.text(encoding.names.index("age"), 40.0) == "40"
    assert Encoding.read(orjson.loads(orjson.dumps(encoding.told()))) == encoding
