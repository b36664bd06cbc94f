"""Quantities that a supplier accepts: multiples of its pack that reach its minimum."""

from __future__ import annotations

import math
from decimal import Decimal


def least_quantity(cost: Decimal, pack_size: int, minimum: Decimal) -> int:
    """The smallest number of pieces that can be bought alone. `cost` of a piece must be above zero."""
    if cost <= 0 or pack_size < 1:
        raise ValueError(f"cost must be above zero and a pack hold a piece, got {cost} and {pack_size}")
    return max(1, math.ceil(minimum / (cost * pack_size))) * pack_size


def enough_quantity(wanted: int, cost: Decimal, pack_size: int, minimum: Decimal) -> int:
    """The smallest number of pieces that can be bought and is not below `wanted`."""
    return max(math.ceil(wanted / pack_size) * pack_size, least_quantity(cost, pack_size, minimum))


def nearest_quantity(wanted: int, cost: Decimal, pack_size: int, minimum: Decimal) -> int:
    """The number of pieces that can be bought and lies nearest to `wanted`, the larger of two as near."""
    above = enough_quantity(wanted, cost, pack_size, minimum)
    below = wanted // pack_size * pack_size
    can_be_less = below >= least_quantity(cost, pack_size, minimum)
    return below if can_be_less and wanted - below < above - wanted else above
