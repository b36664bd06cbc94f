"""What one device can do is bounded: by the checks, by the clip, by a denominator that nobody can move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import InvalidInput
from tabular.federated.aggregate import checked, clipped, settled, step
from tabular.federated.noise import Normals, secret_normals, seeded_normals
from tabular.federated.task import Floats
from tests.unit.tabular.federated.making import plan

PLAN = plan(clip=2.0)
UPDATES = arrays(np.float64, 4, elements=st.floats(allow_nan=False, allow_infinity=False))


def silence(count: int) -> Floats:
    return np.zeros(count)


@given(UPDATES, st.floats(1e-6, 1e6))
def test_no_update_is_longer_than_the_clip(update: Floats, most: float) -> None:
    short = clipped(update, most)
    assert np.isfinite(short).all()
    assert np.linalg.norm(short) <= most * (1 + 1e-15)
    # Its direction stays: no number changes its sign.
    assert (short * np.sign(update) >= 0).all()


@given(arrays(np.float64, 4, elements=st.floats(-0.9, 0.9)))
def test_a_short_update_stays_as_it_is(update: Floats) -> None:
    assert clipped(update, 2.0).tolist() == update.tolist()


@given(st.lists(UPDATES, max_size=6), UPDATES)
def test_one_device_moves_the_sum_by_the_clip_at_most(others: list[Floats], own: Floats) -> None:
    without = step(others, PLAN, 1.0, seeded_normals(3), 4)
    with_it = step([*others, own], PLAN, 1.0, seeded_normals(3), 4)
    bound = PLAN.clip / PLAN.expected
    assert np.linalg.norm(with_it - without) <= bound * (1 + 1e-9)


def test_who_does_not_answer_makes_the_step_smaller_and_nothing_else() -> None:
    update = np.array([1.0, 0.0, 0.0, 0.0])
    whole, half = (step([update] * count, PLAN, 1.0, silence, 4) for count in (20, 10))
    np.testing.assert_allclose(whole, update * 20 / PLAN.expected)
    np.testing.assert_allclose(half, whole / 2)


def test_an_attacker_is_worth_one_device() -> None:
    honest, flipped = np.array([2.0, 0.0, 0.0, 0.0]), np.array([-1e300, 0.0, 0.0, 0.0])
    moved = step([honest] * 19 + [flipped], PLAN, 1.0, silence, 4)
    np.testing.assert_allclose(moved, honest * 18 / PLAN.expected)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ([1.0, float("nan"), 0.0, 0.0], "number 1 "),
        ([1.0, 0.0, 0.0, float("-inf")], "number 3 "),
        ([1.0], "of 1 numbers, where the model has 4"),
        ([0.0] * 5, "of 5 numbers"),
        ([], "of 0 numbers"),
    ],
)
def test_what_is_no_update_is_refused(given_: list[float], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        checked(given_, 4)


def spread(normals: Normals, count: int) -> tuple[float, float]:
    drawn = normals(count)
    return float(drawn.mean()), float(drawn.std())


@pytest.mark.parametrize("normals", [secret_normals, seeded_normals(1)])
def test_noise_is_standard_normal(normals: Normals) -> None:
    # Of 20,000 the mean deviates by .007, the spread by .005: six times as much is no chance.
    count = 20_000
    mean, deviation = spread(normals, count)
    assert abs(mean) < 6 / np.sqrt(count)
    assert abs(deviation - 1) < 6 / np.sqrt(2 * count)
    tail = float((np.abs(normals(count)) > 1.96).mean())
    assert abs(tail - 0.05) < 0.01


def test_the_noise_of_a_round_is_the_multiplier_times_the_clip_over_the_expected() -> None:
    wide = step([], PLAN, 3.0, seeded_normals(5), 20_000)
    wanted = 3.0 * PLAN.clip / PLAN.expected
    assert float(wide.std()) == pytest.approx(wanted, rel=0.03)
    assert float(np.abs(wide.mean())) < 6 * wanted / np.sqrt(20_000)


def test_secret_noise_never_comes_again() -> None:
    assert not np.array_equal(secret_normals(3), secret_normals(3))


def test_the_published_model_is_the_mean_of_the_latter_half() -> None:
    models = [np.full(2, float(each)) for each in range(5)]
    assert settled(models).tolist() == [3.0, 3.0]
    assert settled(models[:1]).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="no model"):
        settled([])
