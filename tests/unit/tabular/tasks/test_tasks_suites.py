"""The suites `churn` and `fairness`, on small made-up tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.demo.tables import applicants, subscribers, write_table
from core.errors import InvalidInput
from evals.runner import run
from evals.suite import Options
from evals.suites import find


async def test_churn_tells_figures_groups_and_the_second_opinion(tmp_path: Path) -> None:
    data = write_table(subscribers(), tmp_path / "subscribers.csv")
    async with find("churn")(Options(data=data)) as suite:
        finished = await run(suite)
    flat = finished.flat()
    assert flat["errors"] == 0
    assert flat["cases"] == pytest.approx(500, abs=2)
    assert flat["auc_low"] < flat["auc"] < flat["auc_high"]
    assert flat["accuracy_low"] < flat["accuracy"]
    assert "brier" in finished.lower_is_better
    for name in ("LIME", "choice", "promotion", "gender Female", "SeniorCitizen 1"):
        assert finished.facts[name]
    assert finished.facts["promotion"] == "passes"


async def test_fairness_tells_before_and_after(tmp_path: Path) -> None:
    data = write_table(applicants(3500), tmp_path / "applicants.csv")
    async with find("fairness")(Options(data=data)) as suite:
        finished = await run(suite)
    flat, ratio = finished.flat(), "fairness/sex/selection-ratio"
    assert flat["errors"] == 0
    assert flat[f"plain {ratio}"] < 0.7 < flat[f"even {ratio}"]
    assert flat["even auc"] < flat["plain auc"]
    assert finished.facts["plain: promotion"].startswith("stopped: fairness/sex/selection-ratio is")
    assert "weighed" in finished.facts["even: model"]
    assert "found" in finished.facts["even: sex Female"]


@pytest.mark.parametrize("name", ["churn", "fairness"])
async def test_a_part_of_the_rows_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="read whole"):
        async with find(name)(Options(limit=5)):
            pass
