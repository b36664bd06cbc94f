"""A world whose truth is known: three contexts, four arms, rewards of 0 and 1."""

from collections.abc import Callable

import numpy as np
import pytest

from core.errors import InvalidInput
from core.gates import Interval
from tabular.recommend.bandit import EpsilonGreedy, Policy, Softmax, Thompson, show
from tabular.recommend.offpolicy import Rounds, doubly_robust, ips, self_normalised
from tabular.recommend.reasons import Reason
from tabular.recommend.recommender import Recommendation

RATES = np.array([[0.1, 0.3, 0.5, 0.2], [0.4, 0.1, 0.1, 0.6], [0.2, 0.2, 0.7, 0.3]])
LOGGED = np.array([[0.4, 0.3, 0.1, 0.2], [0.25, 0.25, 0.25, 0.25], [0.3, 0.4, 0.2, 0.1]])
TARGET = np.array([[0.05, 0.05, 0.8, 0.1], [0.1, 0.0, 0.1, 0.8], [0.1, 0.1, 0.7, 0.1]])
TRUTH = float((RATES * TARGET).sum(axis=1).mean())
SEEDS = 400
SIZE = 600

CANDIDATES = [
    Recommendation(item, score, Reason("popular", (), "")) for item, score in (("x", 0.2), ("y", 0.7), ("z", 0.1))
]
POLICIES: list[Policy] = [EpsilonGreedy(0.3), Softmax(0.5), Thompson().told("y", True)]


def rounds(seed: int, size: int = SIZE) -> tuple[Rounds, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    contexts = random.integers(3, size=size)
    arms = (random.random((size, 1)) > LOGGED[contexts].cumsum(axis=1)).sum(axis=1)
    rewards = (random.random(size) < RATES[contexts, arms]).astype(float)
    return Rounds(rewards, LOGGED[contexts, arms], TARGET[contexts, arms]), contexts, arms


def estimate_ips(seed: int) -> Interval:
    return ips(rounds(seed)[0])


def estimate_snips(seed: int) -> Interval:
    return self_normalised(rounds(seed)[0])


def estimate_dr(seed: int) -> Interval:
    logged, contexts, arms = rounds(seed)
    # A reward model that is wrong: half of the truth, and more.
    model = RATES * 0.5 + 0.1
    return doubly_robust(logged, model[contexts, arms], (model * TARGET).sum(axis=1)[contexts])


@pytest.mark.parametrize("estimate", [estimate_ips, estimate_snips, estimate_dr])
def test_the_intervals_hold_the_truth_as_often_as_they_say(estimate: Callable[[int], Interval]) -> None:
    found = [estimate(seed) for seed in range(SEEDS)]
    covered = np.mean([each.low <= TRUTH <= each.high for each in found])
    # 95 % plus and minus three standard errors of 400 draws, and a percent for the normal's skew.
    assert 0.91 <= covered <= 0.985
    assert abs(np.mean([each.value for each in found]) - TRUTH) < 0.01


def test_a_reward_model_narrows_the_interval_and_being_wrong_does_not_bias_it() -> None:
    widths = {
        name: np.mean([found.high - found.low for found in map(estimate, range(40))])
        for name, estimate in (("ips", estimate_ips), ("dr", estimate_dr))
    }
    assert widths["dr"] < 0.9 * widths["ips"]


def test_on_the_logged_policy_itself_all_agree_with_the_mean() -> None:
    logged, _, _ = rounds(1)
    same = Rounds(logged.rewards, logged.propensities, logged.propensities)
    mean = logged.rewards.mean()
    assert np.isclose(ips(same).value, mean)
    assert np.isclose(self_normalised(same).value, mean)
    assert np.isclose(same.effective, SIZE)
    assert rounds(1)[0].effective < SIZE


def test_self_normalising_stays_within_the_rewards() -> None:
    given = Rounds(np.ones(3), np.array([0.1, 0.1, 0.1]), np.ones(3))
    assert ips(given).value == pytest.approx(10)
    assert self_normalised(given).value == 1


def test_rounds_that_cannot_be_are_refused() -> None:
    fine = np.array([0.5, 0.5])
    for wrong in (
        (fine, np.array([0.5, 0.0]), fine),
        (fine, np.array([0.5, 1.5]), fine),
        (fine, fine, np.array([0.5, -0.1])),
        (np.array([0.5, np.nan]), fine, fine),
        (fine[:1], fine[:1], fine[:1]),
        (fine, fine, fine[:1]),
    ):
        with pytest.raises(InvalidInput):
            Rounds(*wrong)
    nothing = Rounds(fine, fine, np.zeros(2))
    assert nothing.effective == 0
    with pytest.raises(InvalidInput, match="nothing of what was shown"):
        self_normalised(nothing)
    with pytest.raises(InvalidInput, match="prediction"):
        doubly_robust(nothing, fine[:1], fine)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_logged_is_the_chance_that_was_acted_on(policy: Policy) -> None:
    """Over many draws the sum of one over the propensity of an item's showings is the number of draws."""
    random = np.random.default_rng(4)
    shown = [show(policy, CANDIDATES, random) for _ in range(4_000)]
    for candidate in CANDIDATES:
        estimated = sum(1 / each.propensity for each in shown if each.item == candidate.item) / len(shown)
        assert estimated == pytest.approx(1, abs=0.15)
    for each in shown[:20]:
        assert sum(each.chances.values()) == pytest.approx(1)
        assert each.propensity == each.chances[each.item] > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_equal_seeds_show_the_same(policy: Policy) -> None:
    one, two = (
        [show(policy, CANDIDATES, random) for _ in range(20)]
        for random in (np.random.default_rng(9), np.random.default_rng(9))
    )
    assert one == two


def test_epsilon_greedy_and_softmax_by_hand() -> None:
    random = np.random.default_rng(0)
    assert EpsilonGreedy(0.3).chances(CANDIDATES, random) == pytest.approx([0.1, 0.8, 0.1])
    assert Softmax(1, 0.3).chances(CANDIDATES, random) == pytest.approx([0.24, 0.59, 0.17])
    for wrong in (lambda: EpsilonGreedy(0), lambda: Softmax(0), lambda: Softmax(1, 0)):
        with pytest.raises(InvalidInput):
            wrong()


def test_thompson_sampling_finds_the_best_arm() -> None:
    rates = {"x": 0.1, "y": 0.2, "z": 0.6}
    random = np.random.default_rng(6)
    policy = Thompson()
    for _ in range(400):
        item = show(policy, CANDIDATES, random).item
        policy = policy.told(item, bool(random.random() < rates[item]))
    chances = policy.chances(CANDIDATES, random)
    assert chances[2] > 0.9
    assert chances.min() > 0
    assert Thompson().arms == {}


def test_a_slot_learns_off_policy_what_thompson_would_earn() -> None:
    """The whole loop: shown and logged by one policy, another one's worth told from the log, held against the truth."""
    random = np.random.default_rng(7)
    rates = {"x": 0.1, "y": 0.2, "z": 0.6}
    target = Softmax(2.0, 0.1).chances(CANDIDATES, random)
    shown = [show(EpsilonGreedy(0.5), CANDIDATES, random) for _ in range(3_000)]
    places = {each.item: place for place, each in enumerate(CANDIDATES)}
    rewards = np.array([float(random.random() < rates[each.item]) for each in shown])
    found = self_normalised(
        Rounds(
            rewards,
            np.array([each.propensity for each in shown]),
            np.array([target[places[each.item]] for each in shown]),
        )
    )
    truth = sum(rates[item] * target[place] for item, place in places.items())
    assert found.low <= truth <= found.high
    assert found.high - found.low < 0.1


def test_an_empty_slot_is_refused() -> None:
    with pytest.raises(InvalidInput, match="candidates"):
        show(Softmax(), [], np.random.default_rng(0))
