"""The demo company's payments, and the same ones lately."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.demo.card_uses import card_uses, lately
from app.demo.company import generate
from tabular.fraud.events import DAY


@pytest.mark.parametrize("moment", [datetime(2026, 11, 29, 19, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC)])
def test_they_end_one_to_two_weeks_ago_and_keep_their_weekdays_and_hours(moment: datetime) -> None:
    drawn = list(card_uses(generate().transactions))
    moved = lately(iter(drawn), moment)
    age = int(moment.timestamp() * 1000) - moved[-1][0].at
    assert 7 * DAY <= age < 14 * DAY
    assert [(each.id, each.card, each.cents, fraud) for each, fraud in moved] == [
        (each.id, each.card, each.cents, fraud) for each, fraud in drawn
    ]
    shifts = {new.at - old.at for (new, _), (old, _) in zip(moved, drawn, strict=True)}
    assert len(shifts) == 1
    assert shifts.pop() % (7 * DAY) == 0
