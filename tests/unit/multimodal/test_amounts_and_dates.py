from datetime import date
from decimal import Decimal

import pytest

from multimodal.fields.amounts import amounts
from multimodal.fields.dates import find_date


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("8.20", "8.20", ""),
        ("$8.20", "8.20", "USD"),
        ("RM62.50", "62.50", "MYR"),
        ("RM.50", "0.50", "MYR"),
        ("1,234.56 EUR", "1234.56", "EUR"),
        ("1.234,56 €", "1234.56", "EUR"),
        ("12 345,60", "12345.60", ""),
        ("-1.00", "-1.00", ""),
        ("3O.9l", "30.91", ""),
        ("1O.OO", "10.00", ""),
    ],
)
def test_amounts_in_several_forms(text: str, value: str, currency: str) -> None:
    assert [(each.value, each.currency) for each in amounts(text)] == [(Decimal(value), currency)]


@pytest.mark.parametrize("text", ["18.11.2018", "6%", "12:30", "Oo.Il", "192.168.1.10", "no 12", "4.5", "GST 6.00%"])
def test_what_is_no_amount(text: str) -> None:
    assert list(amounts(text)) == []


def test_several_in_a_row() -> None:
    assert [str(each.value) for each in amounts("SR 78.30 4.70 83.00")] == ["78.30", "4.70", "83.00"]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-05",
        "05/03/2026",
        "5.3.26",
        "05-O3-2026",
        "05 MAR 2026 18:24",
        "March 5, 2026",
        "Date:05/03/2026",
        "5-Mar-26",
    ],
)
def test_dates_in_several_forms(text: str) -> None:
    assert find_date(text) == date(2026, 3, 5)


def test_a_month_above_twelve_was_the_day() -> None:
    assert find_date("03/25/2026") == date(2026, 3, 25)


@pytest.mark.parametrize("text", ["31/02/2026", "99/99/2026", "000181747712", "10.50", "01-02"])
def test_what_no_calendar_knows_is_no_date(text: str) -> None:
    assert find_date(text) is None
