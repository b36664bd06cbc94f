import numpy as np
import pytest

from tabular.tasks.calibrating import fit, sigmoid
from tabular.tasks.calibration import Calibration
from tabular.tasks.encoding import Bools, Floats
from tabular.tasks.measures import calibration_error


def drawn(shape: str, count: int = 4000) -> tuple[Floats, Bools]:
    """Margins, and outcomes that come with another probability than they say."""
    random = np.random.default_rng(0)
    margins = random.normal(0, 2, count)
    shares = 1 / (1 + np.exp(-(0.5 * margins - 1))) if shape == "sigmoid" else np.where(margins < 0.5, 0.2, 0.7)
    return margins, random.random(count) < shares


@pytest.mark.parametrize("shape", ["sigmoid", "isotonic"])
def test_the_shape_that_fits_is_taken_and_holds(shape: str) -> None:
    margins, target = drawn(shape)
    found = fit(margins[::2], target[::2], np.arange(2000) % 4)
    assert found.kind == shape
    told = found.probabilities(margins[1::2])
    assert calibration_error(told, target[1::2]) < 0.04
    assert calibration_error(1 / (1 + np.exp(-margins[1::2])), target[1::2]) > 0.08
    # No order is turned round, however far out.
    far = np.sort(np.concatenate([margins, [-1e6, -50, 50, 1e6]]))
    assert (np.diff(found.probabilities(far)) >= 0).all()
    assert ((found.probabilities(far) >= 0) & (found.probabilities(far) <= 1)).all()
    assert Calibration.read(found.told()) == found


def test_margins_that_mislead_are_not_turned_round() -> None:
    margins, target = drawn("sigmoid")
    told = sigmoid(-margins, target).probabilities(np.array([-3.0, 3.0]))
    assert told[0] <= told[1]


@pytest.mark.parametrize(
    "told", [{"kind": "spline", "at": [0, 1], "are": [0, 1]}, {"kind": "sigmoid", "at": [0], "are": [0]}, {}]
)
def test_what_is_no_calibration_is_refused(told: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Calibration.read(told)
