"""Other policies' earnings out of a log whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.errors import Conflict, NotFound
from tabular.recommend.bandit import EpsilonGreedy, Policy, Softmax
from tabular.recommend.evaluation import LEAST, Greedy, Round, evaluate
from tabular.recommend.slates import Drawable, Place, Slot

# What each item is taken to be worth, and how often it is really taken: the greedy choice is not the best.
SCORES = {"a": 0.4, "b": 0.3, "c": 0.2}
TAKEN = {"a": 0.2, "b": 0.5, "c": 0.1}
ITEMS = [Place(item, score) for item, score in SCORES.items()]


def logged(count: int, policy: Policy, seed: int = 0) -> list[Round]:
    random = np.random.default_rng(seed)
    chances = policy.chances(ITEMS, random)
    slot = Slot(
        3, tuple(Drawable(each.item, each.score, float(chance)) for each, chance in zip(ITEMS, chances, strict=True))
    )
    found = []
    for number in range(count):
        shown = ITEMS[int(random.choice(3, p=chances))].item
        found.append(Round(f"c{number % 97}", slot, shown, float(random.random() < TAKEN[shown])))
    return found


def worth(policy: Policy) -> float:
    chances = policy.chances(ITEMS, np.random.default_rng(0))
    return float(sum(chance * TAKEN[each.item] for chance, each in zip(chances, ITEMS, strict=True)))


@pytest.mark.parametrize(
    "policy", [Greedy, lambda: EpsilonGreedy(1.0), lambda: EpsilonGreedy(0.1), lambda: Softmax(0.5)]
)
def test_the_truth_lies_within_the_intervals(policy: Callable[[], Policy]) -> None:
    rounds = logged(3_000, EpsilonGreedy(0.6))
    found = evaluate(rounds, policy())
    truth = worth(policy())
    for estimate in (found.ips, found.self_normalised, found.doubly_robust):
        assert estimate.low <= truth <= estimate.high
        assert estimate.high - estimate.low < 0.15
    assert found.logged.value == pytest.approx(np.mean([each.reward for each in rounds]))
    assert found.rounds == 3_000 >= found.effective


def test_a_reward_model_narrows_the_interval() -> None:
    found = evaluate(logged(3_000, EpsilonGreedy(0.6)), EpsilonGreedy(1.0))
    assert found.doubly_robust.high - found.doubly_robust.low < found.ips.high - found.ips.low


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(40):
        found = evaluate(logged(200, EpsilonGreedy(0.6), seed), EpsilonGreedy(1.0)).doubly_robust
        held += found.low <= worth(EpsilonGreedy(1.0)) <= found.high
    assert held >= 34


def test_too_little_is_refused() -> None:
    with pytest.raises(Conflict, match="100 are the least"):
        evaluate(logged(LEAST - 1, EpsilonGreedy(0.6)), Greedy())
    # Only what the other policy never shows was ever seen.
    slot = Slot(1, (Drawable("a", 0.9, 0.5), Drawable("b", 0.1, 0.5)))
    with pytest.raises(Conflict, match=r"worth 0\.0 rounds"):
        evaluate([Round("c", slot, "b", 1.0)] * 200, Greedy())


def test_a_slot_knows_the_chances_it_drew_by() -> None:
    slot = Slot(1, (Drawable("a", 0.9, 0.75), Drawable("b", 0.1, 0.25)))
    assert slot.chance("b") == 0.25
    with pytest.raises(NotFound):
        slot.chance("c")
