from __future__ import annotations

import pytest

from tabular.fraud.measures import Day, auc, average_precision, card_precision

FIRST = Day(["a", "a", "b", "c"], [0.1, 0.9, 0.8, 0.2], [False, True, False, True])
SECOND = Day(["a", "b", "c", "d"], [0.99, 0.1, 0.5, 0.4], [True, False, False, True])


def test_a_card_is_as_suspicious_as_its_worst_use_and_is_found_once() -> None:
    # Day one: a (.9, fraud) and b (.8, not). Day two: a is blocked, so c (.5, not) and d (.4, fraud).
    assert card_precision([FIRST, SECOND], cards=2) == [0.5, 0.5]
    assert card_precision([SECOND], cards=2) == [0.5]
    assert card_precision([FIRST], cards=4) == [0.5]


def test_ranks_over_all_days() -> None:
    perfect = Day(["a", "b"], [0.2, 0.7], [False, True])
    assert auc([perfect]) == average_precision([perfect]) == 1
    assert auc([FIRST, SECOND]) == pytest.approx(12 / 16)


def test_what_cannot_be_measured_is_said() -> None:
    calm = Day(["a"], [0.3], [False])
    with pytest.raises(ValueError, match="frauds and others"):
        auc([calm])
    with pytest.raises(ValueError, match="a fraud"):
        average_precision([calm])
