"""What is said of a text: a reader's marks go, and what is only written is put into words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.sentences import sentences

LONGEST = 300
"""Characters that are spoken in one go: a sentence beyond that is parted where it is easiest to breathe."""

# What the letters of our ids stand for; other letters are spelt.
KINDS = {"ORD": "order", "TCK": "ticket", "CUS": "customer", "SUP": "supplier"}

_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$|^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+[ \t:-]*$", re.MULTILINE)
_OPENING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|(?:>[ \t]?)+)", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_CITATION = re.compile(r"[ \t]*\[\d{1,3}(?:[ \t]*[,–-][ \t]*\d{1,3})*\]")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_CODE = re.compile(r"`+([^`]+)`+")
_CELLS = re.compile(r"[ \t]*\|[ \t]*")
_URL = re.compile(r"(?:https?://|www\.)(?:www\.)?([^\s/?#:<>()\"]+)(?:[^\s<>()\"]*[^\s<>()\".,;:!?])?", re.IGNORECASE)
_EMAIL = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)\b")
# A random id: letters and digits of a hash, with what kind of thing it names before it.
_HASH = re.compile(r"\b(?:[a-z]{2,8}_)?(?=[0-9a-f-]*\d)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,})\b")
_ID = re.compile(r"\b(?:(\w+)(\s+))?([A-Z]{2,4})-(\d{1,12})\b")
_BREATH = re.compile(r"(?<=[,;:—])\s+")


def spoken(text: str) -> list[str]:
    """The sentences to say, in order, each of at most `LONGEST` characters; none where there is nothing to say.

    Citation marks and Markdown go; a link is its text, a bare URL its host, an e-mail address is put into words.
    The digits of an id are said one by one, after what it names (`ORD-10421` is order 1 0 4 2 1), and of a random
    id only the last four.
    """
    plain = _plain(text)
    told = (plain[start:end] for start, end in sentences(plain))
    return [part for sentence in told for part in _parts(sentence) if re.search(r"\w", part)]


def _plain(text: str) -> str:
    for mark in (_FENCE, _RULE, _OPENING):
        text = mark.sub("", text)
    text = _CITATION.sub("", _LINK.sub(r"\1", text))
    text = _CODE.sub(r"\1", text)
    text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = "\n".join(_CELLS.sub(", ", line.strip().strip("|").strip()) for line in text.splitlines())
    text = _URL.sub(lambda found: found[1].replace(".", " dot "), text)
    text = _EMAIL.sub(lambda found: f"{found[1]} at {found[2]}".replace(".", " dot "), text)
    text = _HASH.sub(lambda found: "ending in " + " ".join(found[0][-4:].upper()), text)
    return _ID.sub(_id, text)


def _id(found: re.Match[str]) -> str:
    before, gap, letters, digits = found[1] or "", found[2] or "", found[3], found[4]
    kind = KINDS.get(letters, " ".join(letters))
    # "Your order ORD-10421" names the kind already.
    said = "" if before.lower() == kind else f"{kind} "
    return f"{before}{gap}{said}{' '.join(digits)}"


def _parts(sentence: str) -> Iterator[str]:
    """The sentence, or its clauses and, where one is still too long, its words, put together up to `LONGEST`."""
    if len(sentence) <= LONGEST:
        yield sentence
        return
    part = ""
    for piece in _pieces(sentence):
        if part and len(part) + 1 + len(piece) > LONGEST:
            yield part
            part = piece
        else:
            part = f"{part} {piece}" if part else piece
    yield part


def _pieces(sentence: str) -> Iterator[str]:
    for clause in _BREATH.split(sentence):
        if len(clause) <= LONGEST:
            yield clause
            continue
        for word in clause.split():
            yield from (word[at : at + LONGEST] for at in range(0, len(word), LONGEST))
