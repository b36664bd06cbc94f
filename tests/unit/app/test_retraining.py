import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.commands.training import check_schedule
from app.retraining import child, due
from core.errors import InvalidInput
from core.settings import Settings, TabularSettings

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("newest", "begun", "failures", "wanted"),
    [
        (None, None, 0, True),  # never trained
        (23, None, 0, False),
        (24, None, 0, True),
        (1, 30, 0, False),  # somebody trained it by hand meanwhile
        (25, 30, 0, True),
        (1, 30, 3, False),
        (None, 23, 0, False),  # nothing came of it, and nothing failed
        (None, 24, 0, True),
        (40, 23, 0, False),
        (40, 24, 0, True),
        (40, 0.9, 1, False),  # failed once: again after an hour
        (40, 1, 1, True),
        (40, 1.9, 2, False),  # twice: after two
        (40, 2, 2, True),
        (40, 23.9, 9, False),  # often: never longer than the interval
        (40, 24, 9, True),
        (None, 24, 500, True),
    ],
)
def test_when_a_model_is_due(newest: float | None, begun: float | None, failures: int, wanted: bool) -> None:
    ago = [None if hours is None else NOW - hours * HOUR for hours in (newest, begun)]
    assert due(NOW, ago[0], ago[1], failures, every=24 * HOUR, retry=HOUR) is wanted


def test_a_child_is_the_command_that_people_type() -> None:
    command = child("demand", Settings(workspace=Path("/w")))
    assert command[0] == sys.executable
    assert command[-5:] == ["tabular", "train", "demand", "--workspace", "/w"]


def test_intervals_are_told_in_minutes_hours_or_days() -> None:
    given = TabularSettings.model_validate({"retrain": {"demand": "24h", "fraud": "7d"}, "retry": "30m"})
    assert given.retrain == {"demand": 24 * HOUR, "fraud": 7 * 24 * HOUR}
    assert (given.retry, given.promote, TabularSettings().retrain) == (HOUR / 2, False, {})


@pytest.mark.parametrize("wrong", ["0h", "soon", "-1d", "PT0S", "99999d"])
def test_other_intervals_are_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TabularSettings.model_validate({"retrain": {"demand": wrong}})


def test_what_is_learned_from_a_file_is_not_trained_on_schedule() -> None:
    check_schedule(["fraud", "segments"])
    with pytest.raises(InvalidInput, match="churn is learned from a file"):
        check_schedule(["fraud", "churn"])
    with pytest.raises(InvalidInput, match="no model 'froud'"):
        check_schedule(["froud"])
