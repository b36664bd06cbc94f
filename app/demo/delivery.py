"""What delivery costs, how long it takes and who carries it: the same facts as the help-centre article."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

METHODS: Final = ("standard", "express", "pickup_point")

ZONES: Final = (1, 2, 3)

FEES: Final = {
    ("standard", 1): Decimal("4.90"),
    ("standard", 2): Decimal("6.90"),
    ("standard", 3): Decimal("12.90"),
    ("express", 1): Decimal("11.90"),
    ("express", 2): Decimal("16.90"),
    ("express", 3): Decimal("24.90"),
    ("pickup_point", 1): Decimal("3.50"),
    ("pickup_point", 2): Decimal("5.50"),
}

WORKING_DAYS: Final = {
    ("standard", 1): (2, 4),
    ("standard", 2): (3, 6),
    ("standard", 3): (5, 8),
    ("express", 1): (1, 1),
    ("express", 2): (2, 2),
    ("express", 3): (3, 3),
    ("pickup_point", 1): (2, 4),
    ("pickup_point", 2): (3, 6),
}

FREE_FROM: Final = {1: Decimal("60.00"), 2: Decimal("90.00"), 3: Decimal("150.00")}

CARRIERS: Final = {
    "standard": ("Northway Parcel", "NW", 9),
    "express": ("Swiftline", "SL", 10),
    "pickup_point": ("Northway Parcel", "NW", 9),
}
"""The carrier of each method, with the prefix and the number of digits of its tracking numbers."""


def fee(method: str, zone: int, goods: Decimal) -> Decimal:
    """Return what delivery of goods worth `goods` costs; raises KeyError for a method that the zone lacks."""
    charge = FEES[method, zone]
    return Decimal("0.00") if method != "express" and goods >= FREE_FROM[zone] else charge


def tracking_number(method: str, number: int) -> str:
    """Write a tracking number as the method's carrier does."""
    _, prefix, digits = CARRIERS[method]
    return f"{prefix}{number:0{digits}d}"
