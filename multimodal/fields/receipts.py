"""The fields of a receipt or invoice, by rules over its rows, held against its own arithmetic."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from core.media import Field, Line, Reading
from multimodal.fields.amounts import amounts
from multimodal.fields.dates import find_date
from multimodal.fields.head import find_address, find_merchant
from multimodal.reading.layout import rows

_TOTAL = re.compile(
    r"\bt[o0]ta[l1i]\b|tota[l1](?=[a-z:(])|\b(?:amount|balance) due\b|\bamt due\b|amount payable|\bsumme\b|"
    r"\bgesamt|te betalen|\bmontant\b|rounded",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"grand|nett?\b|round(?:ed)?\b(?! ?(?:adj|ing))|inclusive|incl\b|after|payable|\bdue\b|with gst|ttc|amount",
    re.IGNORECASE,
)
_NOT_TOTAL = re.compile(
    r"sub|excl|before|without|qty|quantity|item|saving|disc|points?\b|summary|total (?:gst|tax|vat)|"
    r"(?:gst|tax|vat)\b[^a-z]*(?:amount|total)|taxable|adj",
    re.IGNORECASE,
)
_TAX = re.compile(r"\b(?:gst|tax|vat|sst|mwst|ust|tva|btw|moms|igst|cgst)\b|[@(]\s*6\s?%", re.IGNORECASE)
_NOT_TAX = re.compile(
    r"invoice|\breg|\bid\b|\bno\b|\bnumber\b|code|inclusive|incl\b|exclu|total sales|taxable|summary|before",
    re.IGNORECASE,
)
_CASH = re.compile(r"\b(?:cash|tender(?:ed)?|paid|payment|visa|master(?:card)?|credit)\b", re.IGNORECASE)
_CHANGE = re.compile(r"\bchange\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:(?:tax )?invoi?ce|\binv|\bbill|receipt|\brcpt|\bdoc(?:ument)?|\bslip|\bcheck|\btrans|factu(?:ur|re)|"
    r"rechnung\w*)\s*(?:no|num(?:ber|mer)?|nr|id|#)?\s*[.:#]*\s*(?P<id>[A-Z0-9][A-Z0-9/_.-]*\d[A-Z0-9/_-]*)",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"\bdate|datum|issued", re.IGNORECASE)
_OTHER_DATE = re.compile(r"due|deliver|expir|valid|printed|period|since", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """Lines that stand side by side, with their text and the amounts in it, each with its line."""

    text: str
    lines: tuple[int, ...]
    amounts: tuple[tuple[Decimal, int], ...]


def find_receipt(reading: Reading) -> list[Field]:
    """`merchant`, `address`, `date` (ISO), `total`, `tax` (plain decimals), `invoice_number`: those that are there."""
    lines = reading.lines
    table = [_row(lines, numbers) for numbers in rows(lines)]
    merchant = find_merchant(lines)
    total = _total(table, lines)
    found = (
        merchant,
        find_address(lines, merchant),
        _date(table, lines),
        total,
        _tax(table, lines, total),
        _invoice_number(table, lines),
    )
    return [field for field in found if field is not None]


def _row(lines: Sequence[Line], numbers: Sequence[int]) -> Row:
    found = tuple((each.value, number) for number in numbers for each in amounts(lines[number].text))
    return Row(" ".join(lines[number].text for number in numbers), tuple(numbers), found)


def _date(table: Sequence[Row], lines: Sequence[Line]) -> Field | None:
    best: tuple[float, Field] | None = None
    for row in table:
        # A date may be in one line, or its row may have been cut between label and value.
        day = find_date(row.text)
        if day is None:
            continue
        number = next((each for each in row.lines if find_date(lines[each].text) == day), row.lines[0])
        weight = 1.0 * bool(_LABELLED.search(row.text)) - 2.0 * bool(_OTHER_DATE.search(row.text))
        if best is None or weight > best[0]:
            sure = 0.95 if weight > 0 else 0.85 if weight == 0 else 0.4
            best = weight, Field("date", day.isoformat(), sure * lines[number].confidence, number)
    return best[1] if best else None


def _total(table: Sequence[Row], lines: Sequence[Line]) -> Field | None:
    paid = _paid(table)
    all_amounts = [value for row in table for value, _ in row.amounts]
    best: tuple[float, Decimal, int] | None = None
    for place, row in enumerate(table):
        if not _TOTAL.search(row.text) or _NOT_TOTAL.search(row.text):
            continue
        value, line = _beside(table, place)
        if value is None or value <= 0:
            continue
        weight = 1.0 + 0.6 * bool(_FINAL.search(row.text)) + 1.5 * (value == paid)
        # What is printed again, as paid or in a summary, is more likely the sum of it all.
        weight += 0.2 * min(all_amounts.count(value) - 1, 2) + 0.3 * _is_sum(value, all_amounts)
        if best is None or weight > best[0] or (weight == best[0] and value > best[1]):
            best = weight, value, line
    if best is None and paid is not None and paid in all_amounts:
        line = next(line for row in table for value, line in row.amounts if value == paid)
        best = 1.5, paid, line
    if best is None:
        largest = max(((value, line) for row in table for value, line in row.amounts), default=None)
        return None if largest is None else _money("total", *largest, 0.3, lines)
    weight, value, line = best
    return _money("total", value, line, min(0.97, 0.45 + 0.2 * weight), lines)


def _beside(table: Sequence[Row], place: int) -> tuple[Decimal | None, int]:
    """The last amount of the row, or of the next one where it has nothing but amounts."""
    if table[place].amounts:
        return table[place].amounts[-1]
    if place + 1 < len(table):
        after = table[place + 1]
        if after.amounts and not re.search(r"[a-z]{4,}", after.text, re.IGNORECASE):
            return after.amounts[-1]
    return None, -1


def _paid(table: Sequence[Row]) -> Decimal | None:
    """Cash less change."""
    cash = _first(table, lambda row: bool(_CASH.search(row.text)) and not _CHANGE.search(row.text))
    change = _first(table, lambda row: bool(_CHANGE.search(row.text)))
    return cash - abs(change) if cash is not None and change is not None and cash > abs(change) else None


def _first(table: Sequence[Row], wanted: Callable[[Row], bool]) -> Decimal | None:
    return next((row.amounts[-1][0] for row in table if row.amounts and wanted(row)), None)


def _is_sum(value: Decimal, printed: Sequence[Decimal]) -> bool:
    """Whether two amounts that are printed one after the other add up to it, as subtotal and tax do."""
    return any(one + other == value and other and one for one, other in pairwise(printed))


def _tax(table: Sequence[Row], lines: Sequence[Line], total: Field | None) -> Field | None:
    best: tuple[float, Decimal, int] | None = None
    sum_ = Decimal(total.value) if total else None
    printed = {value for row in table for value, _ in row.amounts}
    for row in table:
        if not row.amounts or not _TAX.search(row.text) or _NOT_TAX.search(row.text):
            continue
        value, line = row.amounts[-1]
        if value < 0 or (sum_ is not None and value >= sum_):
            continue
        fits = sum_ is not None and value > 0 and sum_ - value in printed
        weight = 1.0 + fits
        if best is None or weight > best[0]:
            best = weight, value, line
    return None if best is None else _money("tax", best[1], best[2], 0.55 + 0.2 * best[0], lines)


def _money(name: str, value: Decimal, line: int, sure: float, lines: Sequence[Line]) -> Field:
    return Field(name, f"{value:.2f}", sure * lines[line].confidence, line)


def _invoice_number(table: Sequence[Row], lines: Sequence[Line]) -> Field | None:
    for row in table:
        for found in _NUMBER.finditer(row.text):
            value = found["id"].rstrip(".-/")
            if len(value) < 3 or find_date(value) is not None or re.search(r"\b(?:gst|tax) (?:reg|id)", row.text, re.I):
                continue
            number = next((each for each in row.lines if value in lines[each].text), row.lines[0])
            return Field("invoice_number", value, 0.85 * lines[number].confidence, number)
    return None
