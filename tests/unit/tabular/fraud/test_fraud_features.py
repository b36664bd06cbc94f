from __future__ import annotations

import math

import numpy as np
import pytest

from tabular.features import replay
from tabular.fraud.events import DAY, Label, Transaction
from tabular.fraud.features import DELAY, HORIZON, LATEST, REACH, FraudFeatures, FraudState
from tabular.fraud.records import fraud_event, history
from tests.unit.tabular.fraud.making import BEGIN, made

FEATURES = FraudFeatures()
HOUR = 3_600_000


def use(number: int, at: int, cents: int = 1_000, card: str = "C", terminal: str = "P") -> Transaction:
    return Transaction(f"T{number}", at, card, terminal, cents)


def told(state: FraudState, transaction: Transaction) -> dict[str, float]:
    return dict(zip(FEATURES.names, FEATURES.vector(state, transaction).tolist(), strict=True))


def after(*events: Transaction | Label) -> FraudState:
    state = FEATURES.start()
    for event in events:
        FEATURES.update(state, event)
    return state


def test_a_first_use_knows_only_itself() -> None:
    # 1 January 2024, 03:30 UTC, a Monday.
    at = 1_704_079_800_000
    found = told(FEATURES.start(), use(1, at, 2_550))
    assert (found["amount"], found["hour"], found["night"], found["weekend"]) == (25.5, 3.5, 1, 0)
    assert (found["card_uses_30d"], found["card_mean_30d"], found["terminal_risk_30d"]) == (1, 25.5, 0)
    assert math.isnan(found["hours_since_use"])
    assert math.isnan(found["amount_to_card_mean"])
    assert told(FEATURES.start(), use(1, at + 5 * DAY))["weekend"] == 1


def test_the_card_s_windows_have_this_use_in_them_and_its_comparisons_have_not() -> None:
    at = BEGIN + 40 * DAY
    state = after(use(1, at - 20 * DAY, 1_000), use(2, at - 2 * DAY, 2_000), use(3, at - HOUR // 2, 3_000))
    found = told(state, use(4, at, 12_000))
    assert (found["card_uses_1h"], found["card_uses_1d"], found["card_uses_7d"], found["card_uses_30d"]) == (2, 2, 3, 4)
    assert (found["card_mean_1d"], found["card_mean_30d"]) == (75, 45)
    assert (found["amount_to_card_mean"], found["card_mean_above"], found["hours_since_use"]) == (6, 100, 0.5)
    # What it paid two to six weeks ago is the first use alone, of which the others are twice and three times as much.
    assert (found["amount_to_settled_mean"], found["card_high_uses_14d"], found["card_highest_14d"]) == (12, 1, 3)


def test_a_fraud_at_the_terminal_counts_a_week_later() -> None:
    at = BEGIN + 40 * DAY
    uses = [use(number, at + number * DAY, card=f"C{number}") for number in range(3)]
    labels = [Label(f"L{each.id}", each.at, each.card, each.terminal, 1) for each in uses[1:]]
    state = after(*uses, *labels)
    early = told(state, use(9, uses[1].at + DELAY - 1, card="D"))
    assert (early["terminal_risk_7d"], early["terminal_frauds_in_a_row"]) == (0, 0)
    late = told(state, use(9, uses[2].at + DELAY, card="D"))
    assert (late["terminal_uses_7d"], late["terminal_risk_7d"], late["terminal_risk_1d"]) == (3, 2 / 3, 1)
    assert (late["terminal_frauds_in_a_row"], late["days_since_row_began"], late["terminal_frauds_28d"]) == (2, 8, 2)
    assert (late["days_since_terminal_fraud"], late["days_since_first_terminal_fraud"]) == (7, 8)


def test_a_fraud_that_was_taken_back_never_was() -> None:
    first = use(1, BEGIN)
    wrong = Label("L1", first.at, first.card, first.terminal, 1)
    back = Label("L2", first.at, first.card, first.terminal, -1)
    later = use(2, BEGIN + 10 * DAY)
    np.testing.assert_array_equal(
        FEATURES.vector(after(first, wrong, back), later), FEATURES.vector(after(first), later)
    )
    assert told(after(first, wrong), later)["card_frauds"] == 1


def test_what_arrives_late_counts_from_then_on_where_it_belongs() -> None:
    at = BEGIN + 20 * DAY
    late, last = use(1, at - 3 * DAY, 500), use(2, at - DAY, 700)
    in_order, out_of_order = after(late, last), after(last, late)
    asked = use(3, at)
    np.testing.assert_array_equal(FEATURES.vector(in_order, asked), FEATURES.vector(out_of_order, asked))
    # And what happened after a late one is not known to it.
    assert told(after(last), late)["card_uses_30d"] == 1


def test_the_state_is_not_changed_by_a_question() -> None:
    state = after(*(each for each, _ in made(300)))
    before = {name: record.uses.window(0, 2**60) for name, record in state.cards.items()}
    FEATURES.vector(state, use(1, BEGIN + 500 * DAY, card="new", terminal="new"))
    assert {name: record.uses.window(0, 2**60) for name, record in state.cards.items()} == before
    with pytest.raises(TypeError):
        FEATURES.vector(state, Label("L", BEGIN, "C", "P", 1))


def test_a_replay_from_the_middle_of_the_log_gives_the_same_features() -> None:
    """What a process that starts today reads is the last `HORIZON`; it must say what one that never stopped says."""
    events = list(history(made(5_000, days=160)))
    end = max(each.at for each in events)

    def wanted(event: Transaction | Label) -> bool:
        return isinstance(event, Transaction) and event.at >= end - 5 * DAY

    whole = list(replay(FEATURES, map(fraud_event, events), wanted))
    recent = [each for each in events if each.known_at >= end - 5 * DAY - HORIZON]
    assert len(recent) < len(events) / 2
    part = list(replay(FEATURES, map(fraud_event, recent), wanted))
    assert [each.id for each, _ in whole] == [each.id for each, _ in part]
    assert len(whole) > 100
    for (_, one), (_, other) in zip(whole, part, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("count", "seed"), [(1_500, 5), (3_000, 8)])
def test_a_state_of_the_last_weeks_says_the_same_of_what_arrives_late(count: int, seed: int) -> None:
    """Cards that rest for weeks, old frauds, and transactions that come in up to `LATEST` late."""
    events = list(history(made(count, days=200, seed=seed)))
    now = max(each.known_at for each in events)
    whole, part = FEATURES.start(), FEATURES.start()
    for each in events:
        FEATURES.update(whole, fraud_event(each))
        if each.known_at >= now - HORIZON:
            FEATURES.update(part, fraud_event(each))
    assert len(part.cards) <= len(whole.cards)
    asked = 0
    for days in range(16):
        for number in range(120):
            late = use(number, now - days * DAY, 5_000, card=f"C{number}", terminal=f"P{number % 30}")
            assert late.at >= now - LATEST
            assert FEATURES.vector(whole, late).tobytes() == FEATURES.vector(part, late).tobytes(), (days, number)
            asked += 1
    assert asked == 16 * 120


@pytest.mark.parametrize(("every", "seed"), [(1, 3), (40, 4)])
def test_a_state_that_forgets_says_the_same(every: int, seed: int) -> None:
    """Cards and terminals that come, rest and come again; frauds that are known late, or taken back after months."""
    random = np.random.default_rng(seed)
    log: list[tuple[int, Transaction | Label]] = []
    for number, (made_, fraud) in enumerate(made(3_000, days=400, seed=seed)):
        # A card is in use for some weeks in a hundred days, and another has its name after a year.
        week = (made_.at - BEGIN) // (25 * DAY)
        one = use(number, made_.at, made_.cents, f"{made_.card}-{week % 4}", f"{made_.terminal}-{week % 9}")
        log.append((one.at + int(random.integers(0, LATEST) if number % 7 == 0 else 0), one))
        if fraud:
            label = Label(f"L{number}", one.at, one.card, one.terminal, 1)
            log.append((one.at + int(random.integers(1, 40)) * DAY, label))
            if number % 5 == 0:
                back = Label(f"B{number}", one.at, one.card, one.terminal, -1)
                log.append((one.at + int(random.integers(41, 150)) * DAY, back))
    log.sort(key=lambda each: each[0])
    whole, part, kept, asked = FEATURES.start(), FEATURES.start(), 0, 0
    for number, (moment, event) in enumerate(log):
        if isinstance(event, Transaction):
            assert FEATURES.vector(whole, event).tobytes() == FEATURES.vector(part, event).tobytes(), number
            late = use(number, moment - LATEST, card=event.card, terminal=event.terminal)
            assert FEATURES.vector(whole, late).tobytes() == FEATURES.vector(part, late).tobytes(), number
            asked += 1
        for state in (whole, part):
            FEATURES.update(state, event)
        if number % every == 0:
            part.forget(moment - HORIZON)
        kept = max(kept, len(part.cards))
    assert asked == 3_000
    assert kept < 0.8 * len(whole.cards)
    assert len(part.terminals) < len(whole.terminals)


def test_what_somebody_may_still_ask_for_is_not_forgotten() -> None:
    state = after(use(1, BEGIN, card="old"), use(2, BEGIN + DAY, card="new"))
    FEATURES.update(state, Label("L", BEGIN, "old", "P", 1))
    state.forget(BEGIN + 1)
    # It was heard of last, and the other one has to stay.
    assert list(state.cards) == ["new", "old"]
    state.forget(BEGIN + DAY + 1, most=1)
    assert list(state.cards) == ["old"]
    state.forget(BEGIN + DAY + 1)
    assert (list(state.cards), list(state.terminals)) == ([], [])
    assert told(state, use(3, BEGIN + DAY + REACH, card="new"))["card_uses_30d"] == 1
