"""What reading takes and gives: a source of bytes, its limits, and the plain text with its sections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import TooLarge, UnreadableDocument


class Kind(StrEnum):
    """The formats that there is a reader for."""

    MARKDOWN = "md"
    PLAIN = "txt"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """What reading one document may cost. Sizes are in bytes, `seconds` is wall-clock time.

    `seconds` and `memory` bind the child process in which the hostile formats are parsed. `inflated` and
    `entries` bound what a docx may unpack to; its default leaves room for pictures, which are not read.
    """

    bytes: int = 20 * 2**20
    characters: int = 5_000_000
    pages: int = 2_000
    seconds: float = 30.0
    memory: int = 2**30
    inflated: int = 200 * 2**20
    entries: int = 5_000


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the text under one path of headings.

    `headings` is the path, outermost first, without the title. `text[start:end]` is the section; its own
    heading, if it has one, is the line from `start`, and `text[body:end]` is what stands below it.
    """

    headings: tuple[str, ...]
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadText:
    """A document as plain text.

    Citations' offsets refer to `text`. `sections` partition it in order: the first starts at 0, each one starts
    where the one before it ends, and the last ends with the text. A newline never stands inside a sentence:
    it ends a paragraph (two of them), a list item (`- …`), a table row (`Header: cell; Header: cell`), a heading
    or a line that the author broke on purpose. The title is not in the text; the other headings are lines of it.
    """

    title: str
    text: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One document to read: its bytes, its name (shown in errors), its format and, if declared, its charset."""

    content: bytes
    filename: str
    kind: Kind
    charset: str | None
    limits: ReadLimits

    def unreadable(self, reason: str) -> UnreadableDocument:
        """The error that says why this document cannot be read, for the caller to raise."""
        return UnreadableDocument(f"{self.filename}: {reason}", param="file")

    def too_large(self, reason: str) -> TooLarge:
        """The error that says which limit this document exceeds, for the caller to raise."""
        return TooLarge(f"{self.filename}: {reason}", param="file")
