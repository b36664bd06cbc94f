"""Who a receipt is from: the name and the address at its top."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.media import Field, Line
from multimodal.fields.amounts import amounts
from multimodal.fields.dates import find_date

_TOP = 12
_ADDRESS_LINES = 6
_FIRM = re.compile(
    r"\b(?:sdn\.?,? ?bhd|bhd|s/b|ltd|limited|inc|llc|gmbh|b\.?v|s\.?a\.?r?\.?l?|plt|enterprise|trading|company|co\.|"
    r"corporation|holdings?|restoran|restaurant|perniagaan|syarikat|hardware|stationery|mart|supermarket|store|cafe)\b",
    re.IGNORECASE,
)
_LEGAL = re.compile(r"^\W*(?:\(?m\)?\W*)?(?:co\.? (?:\(|ltd|sdn)|sdn\.? ?bhd|s/b|bhd|ltd|inc|gmbh)", re.IGNORECASE)
_REGISTERED = re.compile(
    r"\s*[(\[]?\s*(?:co\.?|company|reg)?\s*(?:reg|no)?\.?:?\s*[(\[]?\d{4,}\s?[-·.]?\s?[A-Z]?[)\]]?\s*$", re.I
)
_PLACE = re.compile(
    r"\b(?:jalan|jln|jl|lot|no\b|lorong|taman|tmn|street|st\b|road|rd\b|avenue|ave\b|lane|suite|floor|level|bandar|kampung|"
    r"kg\b|batu|persiaran|lebuh|plaza|block|blok|seksyen|section|ground|g/f|stra(?:ß|ss)e|rue|weg|box)|^\d+[ ,&A-Z-]",
    re.IGNORECASE,
)
_NOT_ADDRESS = re.compile(
    r"\b(?:tel|phone|fax|gst|vat|tax|invoice|receipt|e-?mail|www|http|reg|date|cashier|bill|table|hotline|co\. ?reg|"
    r"roc|ssm|member|customer|order|counter|pos|website|operator|guest|check|company no|co no)\b|"
    r"@|\.com|-invoice|\w:\s?\d",
    re.IGNORECASE,
)
_NUMBER_ONLY = re.compile(r"^\W*(?:co\.?|reg|no|\W)*\d[\d\s]*-?\s?[A-Z0-9]{0,2}\W*$", re.IGNORECASE)


def find_merchant(lines: Sequence[Line]) -> Field | None:
    """The first line near the top that is named like a firm, or else the first that is words."""
    top = lines[:_TOP]
    for number, line in enumerate(top):
        if _NOT_ADDRESS.search(line.text) or amounts_in(line.text):
            if re.search(r"invoice|receipt|date", line.text, re.IGNORECASE):
                break
            continue
        if _FIRM.search(line.text) and not _PLACE.match(line.text):
            text = line.text
            if _LEGAL.match(text) and number:
                text = f"{top[number - 1].text} {text}"
            elif number + 1 < len(top) and _LEGAL.match(top[number + 1].text):
                text = f"{text} {top[number + 1].text}"
            return Field("merchant", _bare(text), 0.9 * line.confidence, number)
    for number, line in enumerate(top):
        words = re.sub(r"[^A-Za-z]", "", line.text)
        if len(words) >= 3 and not _NOT_ADDRESS.search(line.text) and not amounts_in(line.text):
            return Field("merchant", _bare(line.text), 0.6 * line.confidence, number)
    return None


def find_address(lines: Sequence[Line], merchant: Field | None) -> Field | None:
    """The lines below the name that speak of a place, up to the first that speaks of something else."""
    if merchant is None:
        return None
    found: list[int] = []
    for number in range(merchant.line + 1, min(len(lines), merchant.line + 1 + _TOP)):
        text = lines[number].text
        if _NUMBER_ONLY.match(text) and found:
            break
        if find_date(text) or _NUMBER_ONLY.match(text) or _LEGAL.match(text):
            continue
        if _NOT_ADDRESS.search(text) or amounts_in(text):
            if found:
                break
            continue
        if found or _PLACE.search(text) or "," in text:
            found.append(number)
        if len(found) == _ADDRESS_LINES:
            break
    if not found:
        return None
    sure = min(lines[number].confidence for number in found)
    return Field("address", " ".join(lines[number].text for number in found), 0.7 * sure, found[0])


def amounts_in(text: str) -> bool:
    """Whether the text has an amount in it."""
    return next(amounts(text), None) is not None


def _bare(name: str) -> str:
    """The name without the number under which the firm is registered."""
    return _REGISTERED.sub("", name).strip(" -:;,") or name
