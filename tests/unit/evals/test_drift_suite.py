"""What the suite `drift` puts into windows, and what it draws from them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.errors import InvalidInput
from evals.payments import LARGE, payments
from evals.suite import Options
from evals.suites.drift import SHIFTS, drawn, featured, open_suite
from tabular.fraud.events import DAY

ROWS = payments(days=20)
CHANGES = {each.name: each.change for each in SHIFTS}
RANDOM = 3


def test_made_up_payments_are_the_same_every_time_and_in_order() -> None:
    assert payments(days=20) == ROWS
    assert payments(days=20, seed=1) != ROWS
    times = [use.at for use, _ in ROWS]
    assert times == sorted(times)
    assert 0.005 < np.mean([fraud for _, fraud in ROWS]) < 0.06
    assert all(fraud for use, fraud in ROWS if use.cents > 5 * LARGE)


def test_amounts_inflate_and_nothing_else() -> None:
    for (now, fraud), (before, was) in zip(
        CHANGES["amounts inflate"](ROWS, 1.5, np.random.default_rng(0)), ROWS, strict=True
    ):
        assert (now.cents, fraud) == (round(before.cents * 1.5), was)
        assert (now.id, now.at, now.card, now.terminal) == (before.id, before.at, before.card, before.terminal)


def test_whole_cards_are_new() -> None:
    now = CHANGES["new cards"](ROWS, 0.3, np.random.default_rng(RANDOM))
    known, new = {use.card for use, _ in ROWS}, {use.card for use, _ in now if use.card.startswith("new-")}
    assert len(new) == pytest.approx(0.3 * len(known), rel=0.25)
    assert not {use.card for use, _ in now} & {each.removeprefix("new-") for each in new}


def test_frauds_change_and_no_payment_does() -> None:
    now = CHANGES["frauds change"](ROWS, 0.6, np.random.default_rng(RANDOM))
    assert [use for use, _ in now] == [use for use, _ in ROWS]
    assert sum(fraud for _, fraud in now) == sum(fraud for _, fraud in ROWS)
    left = sum(now_ and was for (_, now_), (_, was) in zip(now, ROWS, strict=True))
    assert left == pytest.approx(0.4 * sum(fraud for _, fraud in ROWS), abs=1)


def test_a_card_is_drawn_with_all_that_is_its_own() -> None:
    begin = ROWS[0][0].at // DAY * DAY + 12 * DAY
    window = featured(ROWS, begin, begin + 7 * DAY)
    again = drawn(window, np.random.default_rng(RANDOM))
    sizes = Counter(Counter(window.cards.tolist()).values())
    assert len(set(again.cards.tolist())) == len(set(window.cards.tolist()))
    assert set(Counter(again.cards.tolist()).values()) <= set(sizes)
    place = {name: row for row, name in enumerate(window.ids.tolist())}
    rows = [place[each] for each in again.ids.tolist()]
    assert np.array_equal(again.vectors, window.vectors[rows], equal_nan=True)


async def test_it_is_read_whole() -> None:
    with pytest.raises(InvalidInput, match="read whole"):
        async with open_suite(Options(limit=3)):
            pass
