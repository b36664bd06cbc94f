import asyncio
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from core.errors import InvalidInput
from evals.runner import run
from evals.suite import Options, Pooled, Scorer, Suite, sample
from tests.unit.evals.conftest import MakeSuite, Number


async def test_metrics_are_means_over_the_cases_they_apply_to(numbers: MakeSuite) -> None:
    finished = await run(numbers([1.0, None, 0.5]))
    assert finished.metrics["share"].value == 0.75
    assert finished.metrics["share"].cases == 2
    assert finished.lower_is_better == {"lost"}
    assert not finished.errors


async def test_a_failing_case_is_counted_and_does_not_stop_the_others(numbers: MakeSuite) -> None:
    finished = await run(numbers([1.0, -1.0, 0.0]))
    (failed,) = finished.errors
    assert failed.case_id == "n1"
    assert "ArithmeticError: n1 is below zero" in (failed.error or "")
    assert finished.flat()["errors"] == 1
    assert finished.metrics["share"].cases == 2


async def test_a_failing_scorer_is_an_error_too(numbers: MakeSuite) -> None:
    suite = numbers([1.0, 0.0])
    broken = Suite("broken", suite.cases, suite.task, (Scorer("ratio", lambda _, out: 1 / (out or 0)),), suite.details)
    assert [result.case_id for result in (await run(broken)).errors] == ["n1"]


async def test_flat_has_value_and_ends_of_each_metric(numbers: MakeSuite) -> None:
    flat = (await run(numbers([1.0, 0.0, 0.5, 0.5]))).flat()
    assert set(flat) == {
        "share",
        "share_low",
        "share_high",
        "lost",
        "lost_low",
        "lost_high",
        "cases",
        "errors",
    }
    assert flat["share_low"] <= flat["share"] == 0.5 <= flat["share_high"]


async def test_concurrency_is_bounded_and_order_kept() -> None:
    running, most = 0, 0

    async def task(case: Number) -> float:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return case.value or 0.0

    cases = [Number(f"n{index}", index / 20) for index in range(20)]
    value: Scorer[Number, float] = Scorer("value", lambda _, out: out)
    finished = await run(Suite("bounded", cases, task, (value,), lambda _case, _out: {}, concurrency=3))
    assert most == 3
    assert [result.case_id for result in finished.results] == [case.id for case in cases]


async def test_progress_goes_to_the_console(numbers: MakeSuite) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    await run(numbers([1.0, 0.0]), console=console)
    assert isinstance(console.file, io.StringIO)
    assert "2/2" in console.file.getvalue()


def test_a_sample_is_drawn_by_seed_and_keeps_the_order() -> None:
    cases = [Number(f"n{index:03}", 0.0) for index in range(100)]
    drawn = sample(cases, Options(limit=10, seed=1))
    assert drawn == sample(cases, Options(limit=10, seed=1)) != sample(cases, Options(limit=10, seed=2))
    assert [case.id for case in drawn] == sorted(case.id for case in drawn)
    assert sample(cases, Options()) == cases
    with pytest.raises(InvalidInput, match="leaves nothing"):
        sample(cases, Options(limit=0))


async def test_a_pooled_figure_sees_every_case_that_did_not_fail(numbers: MakeSuite) -> None:
    suite = numbers([1.0, -1.0, 0.0])
    pooled: list[Pooled[Any, Any]] = [
        Pooled("cases_seen", lambda rows: float(len(rows))),
        Pooled("nothing", lambda _: None),
    ]
    finished = await run(replace(suite, pooled=pooled))
    assert finished.pooled == {"cases_seen": 2}
    assert finished.flat()["cases_seen"] == 2
    assert "cases_seen_low" not in finished.flat()
