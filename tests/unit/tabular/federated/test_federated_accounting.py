"""Epsilon against values that do not come from the accountant, and the budget that ends a training."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import InvalidInput
from tests.unit.tabular.federated.making import plan

pytest.importorskip("dp_accounting.pld")
import itertools

from tabular.federated.accounting import allowed, epsilon, noise_for


def normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def gaussian_delta(eps: float, mu: float) -> float:
    """Of the Gaussian mechanism, exactly (Balle and Wang, 2018)."""
    return normal(mu / 2 - eps / mu) - math.exp(eps) * normal(-mu / 2 - eps / mu)


def sampled_delta(eps: float, share: float, noise: float) -> float:
    """Of one round on a Poisson sample, by integrating the hockey stick divergence both ways over a fine grid."""
    x = np.linspace(-15 * noise, 15 * noise + 1, 400_001)
    alone = np.exp(-(x**2) / (2 * noise**2)) / (noise * math.sqrt(2 * math.pi))
    beside = np.exp(-((x - 1) ** 2) / (2 * noise**2)) / (noise * math.sqrt(2 * math.pi))
    mixed = (1 - share) * alone + share * beside
    width = float(x[1] - x[0])
    removed = float(np.maximum(mixed - math.exp(eps) * alone, 0).sum() * width)
    added = float(np.maximum(alone - math.exp(eps) * mixed, 0).sum() * width)
    return max(removed, added)


def renyi_epsilon(share: float, noise: float, rounds: int, delta: float) -> float:
    """An upper bound by Rényi divergences of whole orders (Mironov, Talwar and Zhang, 2019)."""
    found = math.inf
    for order in range(2, 25):
        moments = sum(
            math.comb(order, k) * (1 - share) ** (order - k) * share**k * math.exp(k * (k - 1) / (2 * noise**2))
            for k in range(order + 1)
        )
        renyi = rounds * math.log(moments) / (order - 1)
        found = min(found, renyi + math.log1p(-1 / order) - math.log(delta * order) / (order - 1))
    return found


@pytest.mark.parametrize(("noise", "rounds"), [(5.0, 1), (5.0, 40), (20.0, 300)])
def test_without_sampling_it_is_the_gaussian_mechanism(noise: float, rounds: int) -> None:
    told = epsilon(1.0, noise, rounds, 1e-5)
    mu = math.sqrt(rounds) / noise
    # Never below the truth, and not much above it: a discretisation step for each round.
    assert gaussian_delta(told, mu) <= 1e-5
    assert gaussian_delta(told - 0.005 - 1e-3 * math.sqrt(rounds), mu) > 1e-5


@pytest.mark.parametrize(("share", "noise"), [(0.1, 1.0), (0.02, 0.7), (0.5, 2.0)])
def test_one_sampled_round_is_the_integral(share: float, noise: float) -> None:
    told = epsilon(share, noise, 1, 1e-4)
    assert sampled_delta(told, share, noise) <= 1e-4
    assert sampled_delta(told - 0.005, share, noise) > 1e-4


@pytest.mark.parametrize(("share", "noise", "rounds"), [(0.1, 1.0, 50), (0.05, 0.8, 100)])
def test_many_sampled_rounds_stay_below_an_independent_bound(share: float, noise: float, rounds: int) -> None:
    told, bound = epsilon(share, noise, rounds, 1e-5), renyi_epsilon(share, noise, rounds, 1e-5)
    assert 0.75 * bound < told < bound


def test_epsilon_grows_with_every_round_and_with_less_noise() -> None:
    spent = [epsilon(0.1, 1.0, rounds, 1e-3) for rounds in range(6)]
    assert spent[0] == 0
    assert all(after > before for before, after in itertools.pairwise(spent))
    assert epsilon(0.1, 0.8, 5, 1e-3) > spent[5] > epsilon(0.1, 1.2, 5, 1e-3)


def test_the_budget_ends_a_training() -> None:
    wanted = plan(epsilon=3.0, noise=1.0, rounds=1000)
    last = next(rounds for rounds in range(1, 1000) if not allowed(wanted, 1.0, rounds + 1))
    assert epsilon(wanted.share, 1.0, last, wanted.delta) <= 3.0 < epsilon(wanted.share, 1.0, last + 1, wanted.delta)


def test_the_least_noise_with_which_all_rounds_fit() -> None:
    wanted = plan(epsilon=2.0)
    noise = noise_for(wanted)
    assert allowed(wanted, noise, wanted.rounds)
    assert not allowed(wanted, 0.99 * noise, wanted.rounds)
    assert noise_for(plan(epsilon=2.0, noise=3.0)) == 3.0


def test_a_budget_that_no_round_fits_into_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one round costs"):
        noise_for(plan(epsilon=0.1, noise=0.5))
    with pytest.raises(InvalidInput, match="no noise"):
        noise_for(plan(epsilon=1e-4, delta=1e-14, rounds=1, share=1.0))
