import subprocess
import sys

import pytest

from core.errors import MissingExtra
from tabular.demand import candidates as table
from tabular.demand.candidates import candidates, lookback


def names(*asked: object) -> list[str]:
    return [each.name for each in candidates(*asked)]  # type: ignore[arg-type]


def test_what_competes_for_two_seasons_of_hours() -> None:
    wanted = ["seasonal_naive", "short_naive", "mstl_ets", "trees"]
    assert names("regular", 556, (24, 168), 48) == wanted


def test_short_histories_leave_out_what_needs_longer_ones() -> None:
    assert lookback((24, 168), 48) == 168 * 3
    assert "trees" in names("regular", 504 + 48 + 4, (24, 168), 48)
    assert "trees" not in names("regular", 504 + 48 + 3, (24, 168), 48)
    assert names("regular", 20, (7,), 7) == ["seasonal_naive"]


def test_theta_stands_for_one_season_only() -> None:
    assert "theta" in names("regular", 700, (7,), 28)
    assert "theta" in names("regular", 700, (1,), 28)
    assert "theta" not in names("regular", 7000, (7, 365), 28)


def test_slow_demand_has_its_own() -> None:
    found = names("intermittent", 700, (7,), 28)
    assert {"croston", "croston_sba", "tsb", "adida", "imapa", "seasonal_naive", "trees"} <= set(found)
    assert "mstl_ets" not in found


def test_a_missing_library_is_said_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "find_spec", lambda _: None)
    for row, package in zip((table.REGULAR[0], table.REGULAR[-1]), ("statsforecast", "lightgbm"), strict=True):
        with pytest.raises(MissingExtra, match=rf"{package}: run .*\[tabular\]"):
            row.opens((7,))


def test_nothing_heavy_is_imported_before_a_model_is_opened() -> None:
    asked = (
        "import sys, tabular.demand.forecasting, tabular.demand.policy\n"
        "print({'statsforecast', 'pandas', 'lightgbm', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
