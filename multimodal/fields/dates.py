"""Dates as people print them; where day and month cannot be told apart, the day comes first."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
# Letters that a recogniser takes for digits.
_D = r"[\dOolI]"
_CONFUSED = str.maketrans("OolI", "0011")
_YEARS = range(1990, 2100)
_FORMS = tuple(
    re.compile(rf"(?<![\w.,/-]){form}(?![\d/])", re.IGNORECASE)
    for form in (
        rf"(?P<year>20\d\d)\s?[-/.年]\s?(?P<month>{_D}{{1,2}})\s?[-/.月]\s?(?P<day>{_D}{{1,2}})",
        rf"(?P<day>{_D}{{1,2}})\s?(?:st|nd|rd|th)?[-/., ']*{_MONTH}[-/., ']*(?P<year>{_D}{{4}}|{_D}{{2}})",
        rf"{_MONTH}[-/., ]*(?P<day>{_D}{{1,2}})(?:st|nd|rd|th)?[-/., ]+(?P<year>{_D}{{4}})",
        rf"(?P<day>{_D}{{1,2}})\s?(?P<mark>[-/.])\s?(?P<month>{_D}{{1,2}})\s?(?P=mark)\s?(?P<year>{_D}{{4}}|{_D}{{2}})",
    )
)


def find_date(text: str) -> date | None:
    """The first date in the text that the calendar knows, from 1990 to 2099."""
    found = [(match.start(), day) for form in _FORMS for match in form.finditer(text) if (day := _day(match))]
    return min(found)[1] if found else None


def _day(match: re.Match[str]) -> date | None:
    parts = match.groupdict()
    try:
        year, day = (int(parts[name].translate(_CONFUSED)) for name in ("year", "day"))
        month = (
            _MONTHS.index(parts["name"].lower()) + 1 if "name" in parts else int(parts["month"].translate(_CONFUSED))
        )
        if month > 12 and "name" not in parts and "mark" in parts:
            day, month = month, day
        made = date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None
    return made if made.year in _YEARS else None
