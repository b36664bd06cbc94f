import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from core.errors import InvalidInput
from tabular.demand.policy import Terms, best_factor, fixed_level, play

TERMS = Terms(lead_steps=1, review_steps=1, holding=1, shortage=9)


def test_a_policy_by_hand() -> None:
    # Level 5. Step 0: order 0, sell 2, left 3. Step 1: order 2, sell 2, left 1. From step 2 it counts: 2 arrive, order
    # 2, sell 6, three wait. Step 3: 2 arrive, order 6, sell 0, one waits. Step 4: 6 arrive, sell 1, left 4.
    found = play(np.array([2.0, 2, 6, 0, 1]), [5] * 5, TERMS)
    assert found.holding_cost == pytest.approx((0 + 0 + 4) / 3)
    assert found.shortage_cost == pytest.approx(9 * (3 + 1 + 0) / 3)
    assert found.short == pytest.approx(3 / 7)
    assert found.cost == pytest.approx((4 + 36) / 3)


def test_without_lead_time_goods_are_there_at_once() -> None:
    found = play(np.array([1.0, 4, 4, 4]), [4] * 4, Terms(0, 1))
    assert (found.cost, found.short) == (0, 0)


def test_a_lower_level_orders_nothing_until_it_is_reached() -> None:
    found = play(np.full(8, 1.0), [8, *[2] * 7], TERMS)
    assert found.holding_cost == pytest.approx(np.mean([5, 4, 3, 2, 1, 0]))
    assert found.short == 0


@given(st.lists(st.integers(0, 9), min_size=10, max_size=40), st.integers(0, 60), st.integers(0, 4), st.integers(1, 5))
def test_a_higher_level_holds_no_less_and_is_short_no_more(
    demand: list[int], level: int, lead: int, review: int
) -> None:
    terms = Terms(lead, review)
    pieces = np.array(demand, np.float64)
    low, high = (play(pieces, [each] * len(demand), terms) for each in (level, level + 5))
    assert low.holding_cost <= high.holding_cost
    assert low.shortage_cost >= high.shortage_cost


def test_the_newsvendor_s_level_costs_least() -> None:
    demand = np.random.default_rng(2).poisson(10, 20_000).astype(np.float64)
    best = int(poisson.ppf(TERMS.service_level, 20))
    costs = {level: play(demand, [level] * len(demand), TERMS).cost for level in range(best - 4, best + 5)}
    assert abs(min(costs, key=lambda level: costs[level]) - best) <= 1


def test_the_best_factor_costs_less_than_its_neighbours() -> None:
    random = np.random.default_rng(4)
    histories = [random.poisson(mean, 400).astype(np.float64) for mean in (2, 5, 20)] + [np.zeros(400)]

    def cost(factor: float) -> float:
        levels = [[fixed_level(each, factor, TERMS)] * 400 for each in histories[:3]]
        played = zip(histories[:3], levels, strict=True)
        return sum(play(each, level, TERMS).cost / float(each.mean()) for each, level in played)

    best = best_factor(histories, TERMS)
    assert 1 < best < 2.5
    assert cost(best) <= min(cost(best - 0.1), cost(best + 0.1))


@pytest.mark.parametrize("terms", [(-1, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)])
def test_terms_without_sense_are_refused(terms: tuple[int, int, float, float]) -> None:
    with pytest.raises(InvalidInput):
        Terms(*terms)


@pytest.mark.parametrize(("steps", "levels"), [(2, 5), (9, 8)])
def test_too_little_to_play_is_refused(steps: int, levels: int) -> None:
    with pytest.raises(InvalidInput, match="too few"):
        play(np.ones(steps), [1] * levels, TERMS)
