"""Paragraphs and list items out of lines that were broken to fit a page: plain text files and PDF pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

BULLET = re.compile(r"\s*(?:[-*+•‣▪●◦–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)")
_SENTENCE_END = re.compile(r"[.!?:;]['\")\]”’]*$")
_HYPHEN = re.compile(r"[^\W\d_]-$")
# A line shorter than this share of the width was ended by its author, not by the margin.
_SHORT = 0.7
# Nobody wraps lines wider than this; such a text has its paragraphs on single lines.
_WIDEST = 140


def blocks(lines: list[str]) -> Iterator[tuple[bool, str]]:
    """Yield `(is_item, text)` for every paragraph and list item, with the margin's line breaks undone.

    A line goes on in the next one unless a blank line or a bullet follows, or it is short: under 70 % of the width
    that nine lines of ten keep within. Lines that stay apart within a paragraph are joined by a newline.
    """
    lengths = sorted(len(line.rstrip()) for line in lines if line.strip())
    width = lengths[len(lengths) * 9 // 10] if lengths else 0
    start = 0
    for end in range(len(lines) + 1):
        if end == len(lines) or not lines[end].strip():
            if end > start:
                yield from _paragraph([line.rstrip() for line in lines[start:end]], width)
            start = end + 1


def join(first: str, second: str) -> str:
    """Two lines as one. A hyphen at the end of a line goes if the word continues in lower case."""
    if _HYPHEN.search(first) and second[:1].islower():
        return first[:-1] + second
    return f"{first} {second}"


def _paragraph(lines: list[str], width: int) -> Iterator[tuple[bool, str]]:
    item, text, previous = False, "", ""
    for line in lines:
        bullet = BULLET.match(line)
        if bullet:
            if text:
                yield item, text
            item, text = True, line[bullet.end() :]
        elif not text:
            text = line.strip()
        elif _goes_on(previous, line, width, item):
            text = join(text, line.strip())
        elif item:
            yield item, text
            item, text = False, line.strip()
        else:
            text += "\n" + line.strip()
        previous = line
    yield item, text


def _goes_on(line: str, following: str, width: int, item: bool) -> bool:
    if item and following[:1].isspace():
        return True
    if width > _WIDEST:
        return False
    if len(line) >= _SHORT * width:
        return not (item and _SENTENCE_END.search(line) and following[:1].isupper() and len(line) < 0.85 * width)
    return following.strip()[:1].islower() and not _SENTENCE_END.search(line)
