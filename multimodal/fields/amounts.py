"""Amounts of money as people print them, and as a recogniser misreads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_SIGNS = {
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "RM": "MYR",
    "RS": "INR",
    "ZŁ": "PLN",
}
_CODES = ("USD", "EUR", "GBP", "MYR", "CHF", "INR", "JPY", "PLN", "CAD", "AUD", "SGD", "SEK", "NOK", "DKK")
_CURRENCY = r"US\$|[$€£¥₹]|(?<![A-Z])(?:RM|Rs\.?|" + "|".join(_CODES) + r")|zł"
# Letters that a recogniser takes for digits; they count as such only among digits.
_CONFUSED = str.maketrans("OolI", "0011")
_AMOUNT = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s*|(?<![.,/:\w-]))(?P<minus>-?)"
    r"(?P<whole>\d{1,3}(?:[,. '’]\d{3})+(?=[.,])|[\dOolI]*)\s?[.,]\s?(?P<cents>[\dOolI]{2})"
    rf"(?![\w%]|[.,/:-]\d)(?:\s?(?P<after>{_CURRENCY})(?![\w.]))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum with two decimals. `currency` is an ISO 4217 code, empty where none stands beside it."""

    value: Decimal
    currency: str


def amounts(text: str) -> Iterator[Amount]:
    """The amounts in the text, from left to right: digits with two decimals, `1,234.50` and `1.234,50` alike."""
    for found in _AMOUNT.finditer(text):
        if not any(each.isdigit() for each in found["whole"]) and not found["cents"].isdigit():
            continue
        whole = re.sub(r"[,. '’]", "", found["whole"]).translate(_CONFUSED)
        value = Decimal(f"{whole or '0'}.{found['cents'].translate(_CONFUSED)}")
        yield Amount(-value if found["minus"] else value, _code(found["before"] or found["after"] or ""))


def _code(printed: str) -> str:
    upper = printed.upper().rstrip(".")
    return _SIGNS.get(upper, upper)
