from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from tabular.fraud.costs import Band, Costs
from tabular.fraud.events import Transaction
from tabular.fraud.rules import Rules, ruled

COSTS = Costs(review=300, found=0.9, chargeback=1500, refused=4000)
TRANSACTION = Transaction("T", 0, "C", "P", 20_000)


@given(st.floats(0, 1), st.integers(1, 10**7))
def test_the_band_is_the_cheapest(probability: float, cents: int) -> None:
    expected = COSTS.expected(probability, cents)
    assert expected[COSTS.band(probability, cents)] == min(expected.values())


@given(st.integers(1, 10**7), st.floats(0, 1), st.floats(0, 1))
def test_more_suspicion_is_never_milder(cents: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert COSTS.band(low, cents).strictness <= COSTS.band(high, cents).strictness


def test_bands_by_hand() -> None:
    # 1 % of 200 + 15 is 2.15, less than a person's look; 5 % is 10.75, more; at 90 % refusing costs 4.00.
    assert [COSTS.band(each, 20_000) for each in (0.01, 0.05, 0.9)] == [Band.ALLOW, Band.REVIEW, Band.BLOCK]
    # The same suspicion, of little money.
    assert COSTS.band(0.05, 500) is Band.ALLOW


@pytest.mark.parametrize("wrong", [{"review": -1}, {"refused": -1}, {"found": 1.1}, {"chargeback": -5}])
def test_costs_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Costs(**wrong)  # type: ignore[arg-type]


def test_lists_decide_whatever_the_model_says() -> None:
    rules = Rules(blocked_cards=frozenset({"C"}), trusted_cards=frozenset({"D"}))
    quiet = {"card_uses_1h": 1.0}
    assert ruled(Band.ALLOW, rules.apply(TRANSACTION, quiet)) is Band.BLOCK
    trusted = Transaction("T", 0, "D", "P", 1)
    assert ruled(Band.BLOCK, rules.apply(trusted, quiet)) is Band.ALLOW
    terminal = Rules(blocked_terminals=frozenset({"P"}), trusted_cards=frozenset({"D"}))
    assert ruled(Band.ALLOW, terminal.apply(trusted, quiet)) is Band.BLOCK


def test_limits_ask_for_a_look_and_no_more() -> None:
    rules = Rules(most_cents=19_999, most_uses_an_hour=3)
    found = rules.apply(TRANSACTION, {"card_uses_1h": 4.0})
    assert [each.rule for each in found] == ["large_amount", "fast_card"]
    assert "199.99" in found[0].text
    assert [ruled(band, found) for band in Band] == [Band.REVIEW, Band.REVIEW, Band.BLOCK]
    assert rules.apply(Transaction("T", 0, "C", "P", 19_999), {"card_uses_1h": 3.0}) == []


def test_a_card_cannot_be_both() -> None:
    with pytest.raises(InvalidInput, match="C1"):
        Rules(blocked_cards=frozenset({"C1"}), trusted_cards=frozenset({"C1"}))
    with pytest.raises(InvalidInput, match="most_cents"):
        Rules(most_cents=0)
