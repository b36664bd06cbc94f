"""Takes out of a text what says who somebody is: e-mail addresses, phone numbers and card numbers.

Ids of ours (`ORD-10421`, `TCK-00031`), dates, amounts and tracking numbers stay: they are what a message is about. It
is pattern matching: a name or a street is not recognised.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
# Whatever could be a card's number: its check digit decides.
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
# A phone number says so by its first sign, or by how it is grouped: a plain run of digits is somebody's reference, and
# three groups that end in a year are a date.
_PHONE = re.compile(
    r"(?<![\w.,/-])(?!\d{1,2}([ ./-])\d{1,2}\1(?:19|20)\d\d(?!\d))(?:"
    r"\+\d[\d ()./-]{6,18}\d"
    r"|\(0\d{1,5}\)[\d ./-]{4,14}\d"
    r"|0\d{1,4}[ /-]\d[\d ./-]{3,13}\d"
    r"|0\d{8,11}"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"
    r")(?![\w-])"
)


def masked(text: str) -> str:
    """The text with `[email]`, `[card]` and `[phone]` in place of such."""
    text = _EMAIL.sub("[email]", text)
    text = _DIGITS.sub(lambda found: "[card]" if _is_card(found.group()) else found.group(), text)
    return _PHONE.sub("[phone]", text)


def _is_card(digits: str) -> bool:
    """Whether the check digit fits (Luhn)."""
    figures = [int(each) for each in digits if each.isdigit()]
    doubled = [figure * 2 - 9 * (figure > 4) for figure in figures[-2::-2]]
    return (sum(figures[::-2]) + sum(doubled)) % 10 == 0
