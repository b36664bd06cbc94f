import math

import pytest

from core.gates import Interval, Metric, judge, regressed, sound
from tests.fakes.candidates import measured


def refused(challenger: dict[str, Metric], champion: dict[str, Metric] | None) -> list[str]:
    return [each.words for each in judge(challenger, champion) if each.refuses]


def test_better_than_the_whole_interval_is_a_regression_in_either_direction() -> None:
    now = Interval(0.8, 0.75, 0.85, 100)
    assert [regressed(before, now, lower_is_better=False) for before in (0.86, 0.85, 0.5)] == [True, False, False]
    assert [regressed(before, now, lower_is_better=True) for before in (0.74, 0.75, 0.9)] == [True, False, False]


def test_without_a_champion_whatever_was_measured_passes() -> None:
    assert refused({"exact": measured(0.1)}, None) == []
    assert "exact" in judge({"exact": measured(0.1)}, None)[0].words


@pytest.mark.parametrize("metrics", [{}, {"megabytes": measured(9.0, gates=False)}])
def test_what_nobody_measured_does_not_pass(metrics: dict[str, Metric]) -> None:
    assert refused(metrics, None) == ["it has no gating metric: what nobody measured is not promoted"]


def test_each_gating_metric_of_the_champion_is_compared_in_its_direction() -> None:
    champion = {
        "exact": measured(0.86),
        "wer": measured(0.10, lower_is_better=True),
        "seconds": measured(1.0, gates=False),
    }
    same = judge(champion, champion)
    assert [(each.metric, each.refuses) for each in same] == [("exact", False), ("wer", False)]
    worse = {"exact": measured(0.80), "wer": measured(0.30, lower_is_better=True)}
    assert refused(worse, champion) == [
        "exact is worse: 0.8 (0.78 to 0.82), the champion has 0.86",
        "wer is worse: 0.3 (0.28 to 0.32), the champion has 0.1",
    ]


def test_missing_turned_round_and_incomparable_metrics_refuse() -> None:
    champion = {"exact": measured(0.86)}
    assert refused({"other": measured(0.9)}, champion) == ["exact is missing; the champion has 0.86"]
    assert "turned round" in refused({"exact": measured(0.9, lower_is_better=True)}, champion)[0]
    assert "not comparable" in refused({"exact": measured(0.9, cases=20)}, champion)[0]
    # A log that has grown brings more of them.
    assert refused({"exact": measured(0.9, cases=20_000)}, champion) == []


def test_a_metric_cannot_leave_the_gate_by_calling_itself_no_gate() -> None:
    assert refused({"exact": measured(0.5, gates=False)}, {"exact": measured(0.86)}) != []


@pytest.mark.parametrize(
    ("interval", "wrong"),
    [
        (Interval(0.5, 0.4, 0.6, 10), None),
        (Interval(math.nan, 0.4, 0.6, 10), "finite"),
        (Interval(0.5, 0.4, math.inf, 10), "finite"),
        (Interval(0.7, 0.4, 0.6, 10), "outside"),
        (Interval(0.5, 0.4, 0.6, 0), "no cases"),
    ],
)
def test_figures_that_cannot_be_are_told(interval: Interval, wrong: str | None) -> None:
    found = sound(interval)
    assert (found is None) if wrong is None else (found is not None and wrong in found)


def test_a_limit_holds_without_a_champion() -> None:
    even = {"exact": measured(0.9), "ratio": measured(0.8, gates=False, limit=0.8)}
    assert refused(even, None) == []
    assert judge(even, None)[-1].words == "ratio is 0.8, and keeps its limit: at least 0.8"
    # The better end of the interval does not help.
    uneven = {"exact": measured(0.9), "ratio": measured(0.79, gates=False, limit=0.8)}
    assert refused(uneven, None) == ["ratio is 0.79, and must be at least 0.8"]
    assert refused({"exact": measured(0.9), "odds": measured(0.12, lower_is_better=True, limit=0.1)}, None) == [
        "odds is 0.12, and must be at most 0.1"
    ]


def test_a_limit_does_not_measure_a_model() -> None:
    assert refused({"ratio": measured(0.9, gates=False, limit=0.8)}, None) != []


def test_later_versions_keep_the_limits_of_the_champion() -> None:
    champion = {"exact": measured(0.9), "ratio": measured(0.95, gates=False, limit=0.8)}
    others = {"exact": measured(0.9)}
    assert refused({**others, "ratio": measured(0.85, gates=False, limit=0.8)}, champion) == []
    assert refused(others, champion) == ["ratio is missing; it must be at least 0.8, as the champion's"]
    for loose in (None, 0.1):
        worse = {**others, "ratio": measured(0.5, gates=False, limit=loose)}
        assert refused(worse, champion) == ["ratio is 0.5, and must be at least 0.8"]
    strict = {**others, "ratio": measured(0.85, gates=False, limit=0.9)}
    assert refused(strict, champion) == ["ratio is 0.85, and must be at least 0.9"]
    turned = {**others, "ratio": measured(0.1, gates=False, lower_is_better=True, limit=0.8)}
    assert "turned round" in refused(turned, champion)[0]
