from pathlib import Path

import orjson
import pytest

from core.errors import InvalidInput
from evals.gate import Change, compare, read_baseline
from evals.intervals import Interval
from evals.runner import Result, Run


def finished(**metrics: Interval) -> Run:
    results = [Result("a", 0.1, {}, {}), Result("b", 0.1, {}, {})]
    return Run("suite", 0, {}, metrics, frozenset({"lost"}), results, 1.0)


def regressed(changes: list[Change]) -> list[str]:
    return [change.metric for change in changes if change.regressed]


def test_worse_beyond_the_interval_is_a_regression() -> None:
    run = finished(ndcg=Interval(0.80, 0.75, 0.85, 2))
    assert regressed(compare(run, {"ndcg": 0.86, "ndcg_low": 0.8, "ndcg_high": 0.9})) == ["ndcg"]
    assert regressed(compare(run, {"ndcg": 0.84, "ndcg_low": 0.8, "ndcg_high": 0.9})) == []
    assert regressed(compare(run, {"ndcg": 0.10, "ndcg_low": 0.0, "ndcg_high": 0.2})) == []


def test_a_metric_that_should_be_low_regresses_upwards() -> None:
    run = finished(lost=Interval(0.20, 0.15, 0.25, 2))
    assert regressed(compare(run, {"lost": 0.10, "lost_low": 0.0, "lost_high": 0.2})) == ["lost"]
    assert regressed(compare(run, {"lost": 0.40, "lost_low": 0.3, "lost_high": 0.5})) == []


def test_a_metric_that_vanished_is_a_regression() -> None:
    assert compare(finished(), {"ndcg": 0.5, "ndcg_low": 0.4, "ndcg_high": 0.6}) == [Change("ndcg", 0.5, None, True)]


def test_another_number_of_cases_is_not_comparable() -> None:
    with pytest.raises(InvalidInput, match="7 cases and this run 2"):
        compare(finished(), {"cases": 7, "errors": 0})


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b'{"ndcg": "high"}'])
def test_a_baseline_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"baseline\.json"):
        read_baseline(path)


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json"):
        read_baseline(tmp_path / "none.json")


def test_reads_back_what_a_run_wrote(tmp_path: Path) -> None:
    run = finished(ndcg=Interval(0.80, 0.75, 0.85, 2))
    (tmp_path / "run.json").write_bytes(orjson.dumps(run.flat()))
    assert compare(run, read_baseline(tmp_path / "run.json")) == [Change("ndcg", 0.8, 0.8, False)]
