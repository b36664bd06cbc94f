"""Plain text files."""

from __future__ import annotations

import re

from retrieval.readers.decoding import decode
from retrieval.readers.draft import Draft
from retrieval.readers.lines import blocks
from retrieval.readers.text import ReadText, Source

_UNDERLINE = re.compile(r"([=-])\1{2,}\s*")


def extract(source: Source) -> ReadText:
    """Read paragraphs, list items and underlined headings (`===` is level 1, `---` level 2).

    Lines that were wrapped to a width are joined again, so that a sentence stands on one line.
    """
    draft = Draft(source)
    pending: list[str] = []
    lines = decode(source).replace("\f", "\n\n").split("\n")
    for number, line in enumerate(lines):
        above = pending[-1].strip() if pending else ""
        underline = _UNDERLINE.fullmatch(line.strip()) if above and _alone(lines, number) else None
        if underline:
            pending.pop()
            _write(draft, pending)
            draft.heading(1 if underline[1] == "=" else 2, above)
            pending = []
        else:
            pending.append(line)
    _write(draft, pending)
    return draft.finish()


def _alone(lines: list[str], underline: int) -> bool:
    return underline < 2 or not lines[underline - 2].strip()


def _write(draft: Draft, lines: list[str]) -> None:
    for is_item, text in blocks(lines):
        if is_item:
            draft.item(text)
        else:
            draft.paragraph(text)
