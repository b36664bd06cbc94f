"""Reading a document: bytes in, plain text with sections out. One reader a format; the risky ones in a child."""

from __future__ import annotations

from retrieval.readers.text import Kind, ReadLimits, ReadText, Section

__all__ = ["ReadLimits", "ReadText", "Section", "read"]

# A child costs one to two tenths of a second. Text formats this small are parsed in a thread instead: what Markdown
# can be made to cost grows with the square of its length, and is about one second here.
INLINE_BYTES = 16 * 2**10


async def read(
    content: bytes, filename: str, declared_type: str | None = None, *, limits: ReadLimits | None = None
) -> ReadText:
    """Return the document's title, text and sections. The event loop is not blocked.

    The format is found by content, then by the name's extension, then by `declared_type`, a media type.
    Raises `UnsupportedMedia` (no reader), `UnreadableDocument` (empty, damaged, encrypted, hostile, without text)
    and `TooLarge`, each with `param="file"` and a message that names the file and the reason.
    """
    # The child process imports this package too, and starts in half the time without these.
    import asyncio

    from retrieval.readers.detect import identify
    from retrieval.readers.parsing import parse
    from retrieval.readers.sandbox import read_hostile

    source = identify(content, filename, declared_type, limits or ReadLimits())
    if source.kind in (Kind.PDF, Kind.DOCX) or len(content) > INLINE_BYTES:
        return await read_hostile(source)
    return await asyncio.to_thread(parse, source)
