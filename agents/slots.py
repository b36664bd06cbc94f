"""What a message says that a tool needs: ids, pieces, amounts, places in a list, an address, yes and no."""

from __future__ import annotations

import re
from decimal import Decimal

from agents.words import words

_ID = re.compile(r"\b(ORD|SKU|PO|TCK|CUS|SUP)[-\s]?#?(\d{2,6})\b", re.IGNORECASE)
KINDS = {"order_id": "ORD", "sku": "SKU", "po_id": "PO", "ticket_id": "TCK"}
"""Which kind of id each argument is."""
_WIDTHS = {"ORD": 5, "SKU": 4, "PO": 5, "TCK": 5, "CUS": 5, "SUP": 2}
_MONEY = re.compile(
    r"(?:[€$£]\s?)(\d+(?:[.,]\d{1,2})?)|\b(\d+[.,]\d{2})\b|\b(\d+)\s?(?:€|euros?\b|eur\b)", re.IGNORECASE
)
_MONEY_SIGNED = re.compile(r"[€$£]\s?\d+(?:[.,]\d{1,2})?|\b\d+(?:[.,]\d{2})?\s?(?:€|euros?\b|eur\b)", re.IGNORECASE)
# Numbers that count something else than pieces.
_OTHER_COUNTS = re.compile(
    r"\b\d+\s*(?:-\s*)?(?:weeks?|days?|months?|years?|litres?|persons?|l|cm|mm|kg|g|%)\b|\bx\s*0\b", re.IGNORECASE
)
_WEEKS = re.compile(r"\b(\w+)[\s-]+weeks?\b", re.IGNORECASE)
_MONTHS = re.compile(r"\b(?:(\w+)[\s-]+months?|(month|quarter))\b", re.IGNORECASE)
_ORDINALS = {
    "first": 1, "1st": 1, "top": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5,
    "5th": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
_NUMBERED = re.compile(r"\b(?:number|no\.?|nr\.?|item|suggestion|#)\s*#?(\w+)", re.IGNORECASE)
_ALL = re.compile(r"\b(all of (?:them|it|these)|them all|everything|both|all(?= \d)|every one)\b", re.IGNORECASE)
_FEW = re.compile(r"\bfirst (two|three|four|five|[2-5])\b|\btop (two|three|four|five|[2-5])\b", re.IGNORECASE)
_YES = re.compile(
    r"^\W*(?:(?:oh |well |ok(?:ay)?,? )?(?:yes|yeah|yep|yup|sure|please do|do it|do that|do so|go ahead|of course|"
    r"absolutely|certainly|ok(?:ay)?|fine|good|great|correct|exactly|right|that would be|i would|i'd like that|"
    r"open (?:a|the|one)|please(?: open| do|$|\W*$)))\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no\b(?! \d)|nope|nah|not\b|don't|do not|never ?mind|leave it|forget it|no need)", re.IGNORECASE
)
_BEFORE_ADDRESS = re.compile(
    r".*(?:\b(?:address|to|at|for|is|it's|instead|there|place)\b\s*[:,]?|:)\s+(?=\S)", re.IGNORECASE | re.DOTALL
)
_AFTER_ADDRESS = re.compile(
    r"[\s,]*\b(?:instead|please|pls|thanks?|thank you|not \S+)\b[\s.!?]*$|[\s.!?]+$", re.IGNORECASE
)
_LONGEST_ADDRESS = 300
_FORBIDDEN = (
    r"\b(?:do not|don['’]?t|never|no need|not to|(?:rather|better|please) not|(?:should|must|shall|may)(?: not|n['’]t))"
    r"\s+(?:(?:want|wish|need|mean|have|you|me|us|be)\s+)?(?:to\s+)?(?:{verbs})"
)
# Quotation marks, what follows a colon, lines of a forwarded mail: words that may be somebody else's.
_REPORTED = re.compile(r"[\"“”„«»]|(?:^|\s)['\u2018]\w.*\w['\u2019](?:\W|$)|:\s|^\s*>", re.MULTILINE)
_SUPPOSED = re.compile(r"\b(?:if|unless|whether|in case|suppos\w+)\b", re.IGNORECASE)
_POINTS_BACK = re.compile(r"\b(it|its|it's|that|this|them|those|these|same)\b", re.IGNORECASE)


def ids(text: str, kind: str) -> list[str]:
    """The ids of one kind (`ORD`, `SKU`, …) in the text, as the records write them, each once and in order."""
    found = (f"{kind}-{match[2].zfill(_WIDTHS[kind])}" for match in _ID.finditer(text) if match[1].upper() == kind)
    return list(dict.fromkeys(found))


def pieces(text: str) -> int | None:
    """How many pieces the text speaks of, where it names one whole number that counts nothing else."""
    bare = _OTHER_COUNTS.sub(" ", _MONEY_SIGNED.sub(" ", _ID.sub(" ", text)))
    bare = _FEW.sub(" ", _NUMBERED.sub(" ", bare))
    found = {int(word.number) for word in words(bare) if word.number is not None and word.number.isdigit()}
    # "The first one" names no quantity.
    found -= {1} if re.search(r"\bone\b", bare, re.IGNORECASE) and not re.search(r"\b1\b", bare) else set()
    return found.pop() if len(found) == 1 and found != {0} else None


def amount(text: str) -> Decimal | None:
    """The amount of money in the text, where it names one."""
    found = {
        Decimal(next(group for group in match.groups() if group).replace(",", "."))
        for match in _MONEY.finditer(_ID.sub(" ", text))
    }
    return found.pop() if len(found) == 1 else None


def weeks(text: str, otherwise: int) -> int:
    """How many weeks the text looks ahead, within 1 to 52."""
    if match := _WEEKS.search(text):
        number = _number(match[1])
        if number is not None:
            return max(1, min(52, number))
    if match := _MONTHS.search(text):
        months = 3 if (match[2] or "").lower() == "quarter" else _number(match[1] or "") or 1
        return max(1, min(52, round(months * 52 / 12)))
    return otherwise


def places(text: str, length: int) -> list[int]:
    """Which places (from 0) of a list of that length the text means; empty where it means none that there is."""
    if match := _FEW.search(text):
        count = _number(match[1] or match[2]) or 0
        return list(range(min(count, length)))
    if _ALL.search(text):
        return list(range(length))
    found = [_ORDINALS[word.folded] for word in words(text) if word.folded in _ORDINALS]
    found += [number for match in _NUMBERED.finditer(text) if (number := _number(match[1])) is not None]
    if not found and re.search(r"\blast (?:one|suggestion)\b", text, re.IGNORECASE):
        found = [length]
    return [place - 1 for place in dict.fromkeys(found) if 1 <= place <= length]


def address(text: str, *, asked: bool = False) -> str | None:
    """The address in the text. `asked` says that the text answers the question for it, and may be nothing else.

    An address has a number and a street: something less is no address, and a parcel is not sent there.
    """
    bare = _AFTER_ADDRESS.sub("", _ID.sub(" ", text).strip())
    start = _BEFORE_ADDRESS.match(bare)
    candidates = [bare[start.end() :]] if start else []
    if asked or not candidates:
        candidates.append(bare)
    for candidate in candidates:
        found = " ".join(candidate.split()).strip(" ,;")
        if _is_address(found) and (asked or start):
            return found
    return None


def _is_address(text: str) -> bool:
    tokens = words(text)
    names = sum(1 for word in tokens if word.number is None and len(word.folded) > 1)
    return any(char.isdigit() for char in text) and names >= 2 and "," in text and len(text) <= _LONGEST_ADDRESS


def points_back(text: str) -> bool:
    """Whether the text speaks of something that was spoken of before, by a pronoun."""
    return _POINTS_BACK.search(text) is not None


def forbids(text: str, verbs: str) -> bool:
    """Whether the text says not to do what the verbs name (stems, as alternatives of a regular expression)."""
    return re.search(_FORBIDDEN.format(verbs=verbs), text, re.IGNORECASE) is not None


def outright(text: str) -> bool:
    """Whether the text can only be the speaker's own word to go ahead: nothing asked, supposed, quoted or passed on."""
    return "?" not in text and not passed_on(text)


def passed_on(text: str) -> bool:
    """Whether the words are perhaps not the speaker's own: supposed, quoted, or somebody else's."""
    return bool(_REPORTED.search(text) or _SUPPOSED.search(text))


def agrees(text: str) -> bool | None:
    """Whether the text says yes or no; None where it says something else."""
    if _NO.match(text):
        return False
    return True if _YES.match(text) else None


def _number(word: str) -> int | None:
    read = words(word)
    return int(read[0].number) if read and read[0].number is not None and read[0].number.isdigit() else None
