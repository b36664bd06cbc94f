from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.systems.rules.quantities import enough_quantity, least_quantity, nearest_quantity

costs = st.decimals("0.01", "999.99", places=2)
packs = st.integers(1, 60)
minimums = st.decimals("-50.00", "5000.00", places=2)
pieces = st.integers(0, 5000)


@pytest.mark.parametrize(
    ("wanted", "cost", "pack", "minimum", "least", "enough", "nearest"),
    [
        # 100.00 / 9.50 = 10.5 pieces, in packs of 4: 12.
        (13, "9.50", 4, "100.00", 12, 16, 12),
        (14, "9.50", 4, "100.00", 12, 16, 16),
        (1, "9.50", 4, "100.00", 12, 12, 12),
        # Exactly the minimum is enough.
        (7, "10.00", 5, "100.00", 10, 10, 10),
        (0, "1.00", 6, "0.00", 6, 6, 6),
        (61, "1.00", 6, "0.00", 6, 66, 60),
        (3, "1.00", 1, "-20.00", 1, 3, 3),
    ],
)
def test_by_hand(wanted: int, cost: str, pack: int, minimum: str, least: int, enough: int, nearest: int) -> None:
    terms = (Decimal(cost), pack, Decimal(minimum))
    assert least_quantity(*terms) == least
    assert enough_quantity(wanted, *terms) == enough
    assert nearest_quantity(wanted, *terms) == nearest


@given(pieces, costs, packs, minimums)
def test_every_quantity_is_accepted_and_none_smaller_would_do(
    wanted: int, cost: Decimal, pack: int, minimum: Decimal
) -> None:
    least = least_quantity(cost, pack, minimum)
    enough = enough_quantity(wanted, cost, pack, minimum)
    nearest = nearest_quantity(wanted, cost, pack, minimum)
    for quantity in (least, enough, nearest):
        assert quantity > 0
        assert quantity % pack == 0
        assert quantity * cost >= minimum
    assert least == pack or (least - pack) * cost < minimum
    assert enough >= wanted
    assert enough == least or enough - pack < wanted
    every = range(least, enough + pack, pack)
    assert abs(nearest - wanted) == min(abs(quantity - wanted) for quantity in every)


def test_what_costs_nothing_reaches_no_minimum() -> None:
    with pytest.raises(ValueError, match="above zero"):
        least_quantity(Decimal("0.00"), 1, Decimal("10.00"))
