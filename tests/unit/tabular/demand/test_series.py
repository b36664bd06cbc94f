import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.demand.series import Series, check, kind

GOOD = np.arange(10, dtype=np.float64)
DAYS = np.datetime64("2026-01-01") + np.arange(10)


def test_what_can_be_forecast_passes() -> None:
    check([Series("a", GOOD), Series("b", GOOD, DAYS)])


@pytest.mark.parametrize(
    ("series", "told"),
    [
        (Series("SKU-7", GOOD[:5]), "5 values, fewer than 8"),
        (Series("SKU-7", np.where(GOOD == 3, np.nan, GOOD)), "no number at place 3"),
        (Series("SKU-7", np.where(GOOD == 3, np.inf, GOOD)), "no number at place 3"),
        (Series("SKU-7", np.where(GOOD == 4, -1, GOOD)), "negative at place 4"),
        (Series("SKU-7", GOOD.reshape(2, 5)), "one axis"),
        (Series("SKU-7", GOOD, DAYS[::-1]), "not in order of time"),
        (Series("SKU-7", GOOD, np.repeat(DAYS[:5], 2)), "not in order of time"),
        (Series("SKU-7", GOOD, np.where(GOOD == 9, DAYS[9] + 1, DAYS)), "gaps"),
        (Series("SKU-7", GOOD, DAYS[:9]), "9 times for 10 values"),
        (Series("good", GOOD), "comes twice"),
    ],
)
def test_what_cannot_is_refused_by_name(series: Series, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as refused:
        check([Series("good", GOOD), series])
    assert refused.value.param == series.name
    assert series.name in refused.value.message


def test_no_series_at_all_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no series"):
        check([])


def test_intermittent_is_what_waits_longer_than_the_published_limit() -> None:
    assert kind(np.array([1.0] * 76 + [0.0] * 24)) == "regular"
    assert kind(np.array([1.0] * 75 + [0.0] * 25)) == "intermittent"
    assert kind(np.zeros(20)) == "intermittent"
