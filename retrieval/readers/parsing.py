"""Picks the reader of a format. Each is imported when first used: a child process loads only the one it needs."""

from __future__ import annotations

from retrieval.readers.text import Kind, ReadText, Source


def parse(source: Source) -> ReadText:
    """Read the document in this thread. Raises `UnreadableDocument`, `UnsupportedMedia` and `TooLarge`."""
    match source.kind:
        case Kind.MARKDOWN:
            from retrieval.readers import markdown

            return markdown.extract(source)
        case Kind.PLAIN:
            from retrieval.readers import plain

            return plain.extract(source)
        case Kind.HTML:
            from retrieval.readers import html

            return html.extract(source)
        case Kind.PDF:
            from retrieval.readers import pdf

            return pdf.extract(source)
        case Kind.DOCX:
            from retrieval.readers import docx

            return docx.extract(source)
