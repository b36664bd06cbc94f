import pytest

from agents.calibration import calibration_error, sure_from


def test_the_error_is_the_gap_between_claim_and_truth() -> None:
    assert calibration_error([0.5] * 4, [1, 0, 1, 0]) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [1] * 5 + [0] * 5) == pytest.approx(0.4)
    assert calibration_error([1.0, 0.2], [1, 1]) == pytest.approx(0.4)
    assert calibration_error([], []) == 0


def test_sure_is_the_lowest_probability_above_which_nearly_all_is_right() -> None:
    confidence = [0.9] * 40 + [0.6] * 40 + [0.3] * 40
    assert sure_from(confidence, [1] * 80 + [0] * 40) == 0.6
    assert sure_from(confidence, [1] * 120) == 0.3
    assert sure_from(confidence, [0] * 120) == 1.0


def test_a_few_lucky_answers_do_not_count() -> None:
    assert sure_from([0.9] * 5 + [0.5] * 100, [1] * 5 + [0] * 100) == 1.0
