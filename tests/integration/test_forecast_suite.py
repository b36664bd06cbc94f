"""The models themselves, and the suite on small data of the layouts that it reads."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from evals.runner import run
from evals.suite import Options

pytest.importorskip("statsforecast")
pytest.importorskip("lightgbm")

from evals.suites import forecast as suite
from tabular.demand.candidates import INTERMITTENT, REGULAR
from tabular.demand.forecasting import choose
from tabular.demand.series import Series

RANDOM = np.random.default_rng(12)
YEAR = 100 + 40 * np.sin(np.arange(12) / 12 * 2 * np.pi)


def monthly(length: int) -> np.ndarray:
    return np.asarray(np.resize(YEAR, length) * RANDOM.normal(1, 0.03, length) * np.linspace(1, 1.5, length))


def test_every_candidate_foretells_whole_panels() -> None:
    panel = [monthly(160), monthly(120), np.where(RANDOM.random(160) < 0.3, 5.0, 0.0)]
    for seasons in ((12,), (4, 12), (1,)):
        for row in {each.name: each for each in (*REGULAR, *INTERMITTENT)}.values():
            found = row.opens(seasons).forecast(panel, 6)
            assert [each.shape for each in found] == [(6,)] * 3, row.name
            assert np.isfinite(found).all(), row.name


def test_constant_and_empty_series_are_foretold_as_they_are() -> None:
    panel = [Series("steady", np.full(80, 7.0)), Series("nothing", np.zeros(80))]
    found = choose(panel, (7,), 7).forecast(panel)
    assert found["steady"].mean == pytest.approx([7] * 7, abs=0.1)
    assert found["nothing"].mean.tolist() == [0] * 7
    assert not found["nothing"].quantiles.any()


def test_a_season_is_foretold_better_than_naively_with_quantiles_around_it() -> None:
    whole = [monthly(138) for _ in range(6)]
    panel = [Series(f"{place}", each[:-18]) for place, each in enumerate(whole)]
    found = choose(panel, (12,), 18).forecast(panel)
    inside = []
    for place, each in enumerate(whole):
        forecast, future = found[f"{place}"], each[-18:]
        assert np.abs(forecast.mean - future).mean() < np.abs(each[-19] - future).mean() / 2
        inside.append((forecast.quantile(0.05) <= future) & (future <= forecast.quantile(0.95)))
    assert np.mean(inside) > 0.7


def write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    whole = [monthly(length).round(2) for length in (138, 120, 138, 100)]
    heading = ["V1"] + [f"V{place}" for place in range(2, 122)]
    past = [[f"M{place}", *each[:-18], *[""] * (138 - len(each))] for place, each in enumerate(whole)]
    write(tmp_path / "m4_monthly-train.csv.gz", [heading, *past])
    future = [[f"M{place}", *each[-18:]] for place, each in enumerate(whole)]
    write(tmp_path / "m4_monthly-test.csv.gz", [heading[:19], *future])
    days = suite.STRETCHES * suite.STRETCH + 120
    sales = RANDOM.poisson(np.resize([2, 2, 2, 2, 4, 6, 1], days)).astype(float)
    write(tmp_path / "simulated_items_sales.csv", [["date", "item"], *([day, each] for day, each in enumerate(sales))])
    return tmp_path


async def test_the_suite_judges_series_and_plays_the_stock(folder: Path) -> None:
    async with suite.open_suite(Options(data=folder)) as opened:
        figures = (await run(opened)).flat()
    assert figures["cases"] == 4 + suite.STRETCHES
    assert figures["errors"] == 0
    assert figures["owa_low"] <= figures["owa"] <= figures["owa_high"]
    expected = (figures["smape"] / figures["naive2_smape"] + figures["mase"] / figures["naive2_mase"]) / 2
    assert figures["owa"] == pytest.approx(expected)
    assert figures["stock_saving"] == pytest.approx(figures["fixed_cost"] - figures["stock_cost"])
    assert figures["stock_cost_ratio"] == pytest.approx(figures["stock_cost"] / figures["fixed_cost"])
    assert figures["stock_cost"] == pytest.approx(figures["stock_holding_cost"] + figures["stock_shortage_cost"])


async def test_weeks_of_slow_demand_with_opening_hours(tmp_path: Path) -> None:
    open_hours = np.resize(np.repeat([0.0, 9.0, 0.0], [8, 8, 8]), 168)
    open_hours[120:] = 0
    hours = np.resize(open_hours, 168 * 12) * RANDOM.integers(1, 3, 168 * 12)
    write(
        tmp_path / "intermittent_demand.csv", [["time", "users"], *([place, each] for place, each in enumerate(hours))]
    )
    async with suite.open_suite(Options(data=tmp_path, limit=2)) as opened:
        figures = (await run(opened)).flat()
    assert figures["cases"] == 2
    # Croston's method foretells the same at night; last week's values are noise around their mean.
    assert figures["gain_over_croston"] > 0
    assert figures["gain_over_snaive"] > 0
    assert "owa" not in figures


async def test_what_is_missing_is_said(tmp_path: Path) -> None:
    async def refusal() -> str:
        with pytest.raises(InvalidInput) as refused:
            async with suite.open_suite(Options(data=tmp_path)):
                pass
        return refused.value.message

    assert "none of the files" in await refusal()
    write(tmp_path / "m4_monthly-train.csv", [["V1"], ["M1", *monthly(120)]])
    assert "m4_monthly-test.csv is missing" in await refusal()
    (tmp_path / "m4_monthly-train.csv").rename(tmp_path / "m4_secondly-train.csv")
    assert "no frequency secondly" in await refusal()
