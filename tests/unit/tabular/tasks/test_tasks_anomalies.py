import numpy as np
import orjson
import pytest

from core.errors import InvalidInput
from tabular.tasks.anomalies import Anomalies, find_usual

NAMES = ("amount", "hour", "visits")


def usual(count: int = 2000, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.stack([random.lognormal(3, 0.4, count), random.normal(14, 3, count), random.poisson(5, count)], axis=1)


def test_as_many_are_found_as_expected_on_other_rows_too() -> None:
    model = find_usual(NAMES, usual(), expected=0.02)
    for seed in (0, 1):
        share = (model.scores(usual(seed=seed)) >= model.threshold).mean()
        assert 0.01 < share < 0.035


def test_what_is_far_out_is_found_and_said() -> None:
    model = find_usual(NAMES, usual())
    common, [*_] = model.unusual(np.array([20.0, 14.0, 5.0]))
    assert not common
    odd, reasons = model.unusual(np.array([900.0, 14.0, 30.0]))
    assert odd
    assert {each.column for each in reasons[:2]} == {"amount", "visits"}
    assert reasons[0].text.startswith(f"{reasons[0].column} is high:")
    assert reasons[0].weight >= reasons[1].weight > reasons[2].weight
    low, reasons = model.unusual(np.array([0.1, 0.0, 5.0]))
    assert low
    assert {each.text.split(":")[0] for each in reasons[:2]} == {"amount is low", "hour is low"}


def test_what_is_not_known_is_not_odd() -> None:
    model = find_usual(NAMES, usual())
    odd, reasons = model.unusual(np.array([np.nan, np.nan, 5.0]))
    assert not odd
    assert {each.column: each.weight for each in reasons}["amount"] == 0


def test_a_file_changes_nothing() -> None:
    model = find_usual(NAMES, usual())
    again = Anomalies.read(orjson.loads(orjson.dumps(model.told())))
    assert np.array_equal(again.scores(usual(seed=3)), model.scores(usual(seed=3)))
    with pytest.raises(ValueError, match="no distributions"):
        Anomalies.read({**model.told(), "names": ["amount"]})


@pytest.mark.parametrize(
    ("matrix", "expected", "wrong"),
    [
        (usual(99), 0.01, "100 are the least"),
        (usual(200), 0.0, "is not unusual"),
        (usual(200), 0.5, "is not unusual"),
        (usual(200) * [1, np.nan, 1], 0.01, "hour is not known"),
    ],
)
def test_what_cannot_be_learned_is_refused(matrix: np.ndarray, expected: float, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        find_usual(NAMES, matrix, expected=expected)
