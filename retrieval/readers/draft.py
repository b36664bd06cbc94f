"""The text of a document while a reader writes it: blocks in, `ReadText` out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from retrieval.readers.text import ReadText, Section, Source

# Controls, zero-width spaces, the soft hyphen and the byte order mark carry no text. The zero-width joiners stay:
# scripts such as Persian and Hindi, and emoji, need them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TITLE_CHARACTERS = 300


def clean(text: str) -> str:
    """One line of plain text: whitespace collapsed, invisible characters dropped, safe to encode as UTF-8."""
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", " ".join(text.split()))).strip()


def row_line(cells: Sequence[str], header: Sequence[str]) -> str:
    """One table row as a line that can be read alone: `Header: cell; Header: cell`. Empty cells are left out."""
    named = []
    for column, cell in enumerate(cells):
        name = header[column] if column < len(header) else ""
        if cell:
            named.append(f"{name.rstrip(':')}: {cell}" if name and name != cell else cell)
    return "; ".join(named)


class Draft:
    """Takes a document's blocks in order.

    The first heading of level 1 becomes the title unless one is given; every other heading is a line of the text
    and opens a section. Raises `TooLarge` as soon as the text exceeds the source's limit of characters.
    """

    def __init__(self, source: Source, title: str = "") -> None:
        self._source = source
        self._title = clean(title)
        self._parts: list[str] = []
        self._length = 0
        self._last = ""
        self._path: list[tuple[int, str]] = []
        self._sections: list[tuple[tuple[str, ...], int, int]] = []

    def heading(self, level: int, text: str) -> None:
        """Open a section. `level` is 1 for the outermost headings."""
        text = clean(text)
        if not text:
            return
        if level == 1 and not self._title:
            self._title = text
            self._path.clear()
            return
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._path.append((level, text))
        self._write(text, "heading")
        self._sections.append((tuple(t for _, t in self._path), self._length - len(text), self._length))

    def paragraph(self, text: str) -> None:
        """Add a paragraph. Newlines within it are breaks that the author made on purpose."""
        lines = [line for line in map(clean, text.split("\n")) if line]
        if lines:
            self._write("\n".join(lines), "paragraph")

    def item(self, text: str, depth: int = 0) -> int:
        """Add a list item on a line of its own, and return its mark, for `more`. `depth` 0 is the outermost list."""
        if text := clean(text):
            self._write("  " * min(depth, 8) + "- " + text, "item")
        return len(self._parts)

    def more(self, mark: int, text: str) -> None:
        """Continue the item with that mark on its line, or add a paragraph if something was added since."""
        if mark != len(self._parts):
            self.paragraph(text)
        elif text := clean(text):
            self._write(text, "item", " ")

    def table(self, rows: Sequence[Sequence[str]], *, header: bool = True) -> None:
        """Add a table, one line a row. With `header`, the first row names the columns."""
        cleaned = [[clean(cell) for cell in row] for row in rows]
        names = cleaned[0] if header and len(cleaned) > 1 else []
        for row in cleaned[1:] if names else cleaned:
            if line := row_line(row, names):
                self._write(line, "row")
        self._last = "table"

    def code(self, text: str) -> None:
        """Add a block whose lines and indentation are kept."""
        kept = _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text.expandtabs(4)))
        if lines := "\n".join(line.rstrip() for line in kept.splitlines()).strip("\n"):
            self._write(lines, "code")

    def finish(self, title: str = "") -> ReadText:
        """Return the whole. `title` is used if the document's headings gave none; the file's name if it is empty.

        Raises `UnreadableDocument` when there is no text.
        """
        text = "".join(self._parts)
        if not text:
            raise self._source.unreadable("has no text")
        opened = self._sections
        if not opened or opened[0][1] > 0:
            opened = [((), 0, 0), *opened]
        ends = [start for _, start, _ in opened[1:]] + [len(text)]
        sections = tuple(
            Section(headings, start, min(body + len(text[body:end]) - len(text[body:end].lstrip()), end), end)
            for (headings, start, body), end in zip(opened, ends, strict=True)
        )
        name = self._title or clean(title) or readable(self._source.filename)
        return ReadText(name[:_TITLE_CHARACTERS], text, sections)

    def _write(self, text: str, role: str, separator: str | None = None) -> None:
        if separator is None:
            lead_in = self._last == "paragraph" and role in ("item", "row") and self._parts[-1].endswith(":")
            close = role == self._last and role in ("item", "row")
            separator = "" if not self._parts else "\n" if close or lead_in else "\n\n"
        self._parts.append(separator + text)
        self._length += len(separator) + len(text)
        self._last = role
        if self._length > self._source.limits.characters:
            raise self._source.too_large(f"has more than {self._source.limits.characters:,} characters of text")


def readable(filename: str) -> str:
    """A title made of a file's name: `opening_hours-2024.md` gives `Opening hours 2024`."""
    words = clean(re.sub(r"[_\-\s]+", " ", PurePath(filename).stem))
    return words[:1].upper() + words[1:] or "Untitled"
