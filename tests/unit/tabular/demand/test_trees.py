import numpy as np
import pytest

from tabular.demand.candidates import lookback

pytest.importorskip("lightgbm")

WEEK = np.array([10.0, 12, 14, 16, 30, 40, 5])
HORIZON = 14
RANDOM = np.random.default_rng(8)


def panel(count: int = 12, length: int = 120) -> list[np.ndarray]:
    shapes = [np.resize(np.roll(WEEK, shift), length) for shift in range(count)]
    sizes = 10.0 ** RANDOM.uniform(-1, 3, count)
    return [shape * size * RANDOM.normal(1, 0.02, length) for shape, size in zip(shapes, sizes, strict=True)]


def test_a_week_is_learned_from_all_series_of_whatever_size() -> None:
    from tabular.demand.trees import Trees

    whole = panel()
    found = Trees((7,), rounds=60).forecast([each[:-HORIZON] for each in whole], HORIZON)
    for each, forecast in zip(whole, found, strict=True):
        assert np.abs(forecast - each[-HORIZON:]).mean() < 0.06 * each.mean()


def test_nothing_after_the_history_is_looked_at_and_equal_seeds_agree() -> None:
    from tabular.demand.trees import Trees

    known = [each[:100] for each in panel()]
    model = Trees((7,), rounds=20)
    once, again = model.forecast(known, HORIZON), model.forecast([each.copy() for each in known], HORIZON)
    assert np.array_equal(once, again)


def test_features_read_only_what_came_before_the_origin() -> None:
    from tabular.demand.trees import Trees

    values = RANDOM.uniform(1, 9, 300)
    origin = np.array([200])
    steps = np.arange(30)[None]
    for model in (Trees((7,)), Trees((7, 28)), Trees((1,)), Trees((7,), mean=True)):
        changed = values.copy()
        changed[200:] = 1e9
        features, _, _ = model._rows(values, origin, steps)
        others, _, _ = model._rows(changed, origin, steps)
        assert np.array_equal(features, others)
        # And nothing beyond what it says it looks back upon, but for the mean of all that was known.
        first = 200 - lookback(model.seasons, 30)
        changed = values.copy()
        changed[:first] = changed[:first][::-1]
        others, _, _ = model._rows(changed, origin, steps)
        assert features == pytest.approx(others)


def test_the_mean_of_slow_demand_is_not_its_median() -> None:
    from tabular.demand.trees import Trees

    slow = [np.where(RANDOM.random(200) < 0.3, 10.0, 0.0) for _ in range(20)]
    found = np.stack(Trees((7,), mean=True, rounds=20).forecast(slow, HORIZON))
    assert 2 < found.mean() < 4
