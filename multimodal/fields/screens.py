"""What a screenshot is about: error codes, amounts with their currency, the ids of orders and tickets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.media import Field, Reading
from multimodal.fields.amounts import amounts

_ID = re.compile(r"\b(?P<kind>ORD|SKU|PO|TCK|CUS|SUP)\s?[-–]\s?(?P<digits>[\dOolI]{2,8})\b")
_KINDS = {"ORD": "order", "SKU": "sku", "PO": "purchase_order", "TCK": "ticket", "CUS": "customer", "SUP": "supplier"}
_CONFUSED = str.maketrans("OolI", "0011")
_ERRORS = (
    re.compile(r"\b(?:ERR|ERROR|E)[-_][A-Z0-9_-]*[A-Z0-9]\b"),
    re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b"),
    re.compile(r"\b0x[0-9A-Fa-f]{4,8}\b"),
    re.compile(r"\b(?i:error|code|status|http)\s*(?i:code|no\.?|number)?\s*[:#]?\s*([A-Z]{0,4}-?\d{3,6}[A-Z]?)\b"),
)


def find_screen(reading: Reading) -> list[Field]:
    """`error_code`, `amount` (as `39.95 EUR`), `order`, `ticket` and other ids, in order, each value once."""
    found: dict[tuple[str, str], Field] = {}
    for number, line in enumerate(reading.lines):
        for name, value, sure in _facts(line.text):
            field = Field(name, value, sure * line.confidence, number)
            found.setdefault((name, value), field)
    return list(found.values())


def _facts(text: str) -> Iterator[tuple[str, str, float]]:
    for match in _ID.finditer(text):
        yield _KINDS[match["kind"]], f"{match['kind']}-{match['digits'].translate(_CONFUSED)}", 0.95
    codes: list[str] = []
    for pattern in _ERRORS:
        for match in pattern.finditer(text):
            code = match[1] if pattern.groups else match[0]
            # One code is told once, by the form that caught most of it.
            if not any(code in other for other in codes) and not _ID.match(code):
                codes.append(code)
                yield "error_code", code, 0.9
    for amount in amounts(text):
        if amount.currency:
            yield "amount", f"{amount.value:.2f} {amount.currency}", 0.9
