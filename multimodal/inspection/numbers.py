"""Numbers as people say them: "four point two", "minus twenty-five", "one hundred and ten"."""

from __future__ import annotations

import re
from decimal import Decimal

_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SCALES = {"hundred": 100, "thousand": 1000}
_WORDS = "|".join(sorted((*_ONES, *_TENS, *_SCALES), key=len, reverse=True))
_DIGITS = "|".join([*list(_ONES)[:10], "oh"])

SPOKEN = (
    rf"(?:minus[ ]|negative[ ])?(?:{_WORDS})(?:(?:[ -]|[ ]and[ ])(?:{_WORDS})){{0,9}}"
    rf"(?:[ ]point(?:[ ](?:{_DIGITS})){{1,6}})?(?![a-z])"
)
"""A pattern of a number in words."""
WRITTEN = r"[-\u2212]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-\u2212]?\d+(?:[.,]\d+)?"
"""A pattern of a number in digits."""


def value(text: str) -> Decimal | None:
    """The number that a match of `SPOKEN` or `WRITTEN` says; None for words that make no number ("two three")."""
    text = text.strip().lower().replace("\u2212", "-")
    if re.fullmatch(WRITTEN, text):
        grouped = re.fullmatch(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", text)
        return Decimal(text.replace(",", "" if grouped else "."))
    negative = re.match(r"(?:minus|negative) ", text)
    text = text[negative.end() :] if negative else text
    whole, _, fraction = text.partition(" point ")
    number = _whole([word for word in re.split(r"[ -]+", whole) if word != "and"])
    if number is None:
        return None
    digits = "".join(digit(word) or "" for word in fraction.split())
    said = Decimal(f"{number}.{digits}" if digits else number)
    return -said if negative else said


def digit(word: str) -> str | None:
    """A single spoken or written digit, or None."""
    word = word.lower()
    if word in ("oh", "o"):
        return "0"
    if word in _ONES and _ONES[word] < 10:
        return str(_ONES[word])
    return word if len(word) == 1 and word.isdecimal() else None


def _whole(words: list[str]) -> int | None:
    total = part = 0
    last = 1000  # what the next word has to be smaller than, within its hundred
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            if scale == 1000:
                total, part = total + (part or 1) * 1000, 0
            elif part >= 100:
                return None
            else:
                part = (part or 1) * 100
            last = 100
            continue
        number = _ONES.get(word, _TENS.get(word, 0))
        if last <= 10 and number:
            return None
        if last < 100 and (last % 10 or number > 9):
            return None
        part += number
        last = 10 if number < 20 else 90
    return total + part
