"""Which format a file is in: by its first bytes, and for the text formats by its name or declared type."""

from __future__ import annotations

from email.message import Message
from pathlib import PurePath

from core.errors import TooLarge, UnreadableDocument, UnsupportedMedia
from retrieval.readers.draft import clean
from retrieval.readers.text import Kind, ReadLimits, Source

_EXTENSIONS = {
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".txt": Kind.PLAIN,
    ".text": Kind.PLAIN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xhtml": Kind.HTML,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
}
_TYPES = {
    "text/markdown": Kind.MARKDOWN,
    "text/x-markdown": Kind.MARKDOWN,
    "text/plain": Kind.PLAIN,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "application/pdf": Kind.PDF,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Kind.DOCX,
}
_READ = "readable are md, txt, html, pdf and docx"
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "is in the old Word format or protected with a password: save it as an open docx"),
    (b"{\\rtf", "is in rich text format: save it as docx"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"GIF8", "is a picture"),
    (b"\x1f\x8b", "is a compressed archive"),
    (b"\x7fELF", "is a program"),
)


def identify(content: bytes, filename: str, declared_type: str | None, limits: ReadLimits) -> Source:
    """Return the source with its format.

    A PDF or docx is known by its bytes, whatever its name. Text is what its extension says, or, if that says
    nothing to us, what `declared_type` (a media type such as `text/html; charset=koi8-r`) says.
    Raises `TooLarge`, `UnreadableDocument` (empty, or not what it claims to be) and `UnsupportedMedia`.
    """
    shown = clean(PurePath(filename).name)[:120] or "unnamed file"
    media_type, charset = _declared(declared_type)
    claimed = _EXTENSIONS.get(PurePath(filename).suffix.lower()) or _TYPES.get(media_type)
    if len(content) > limits.bytes:
        raise TooLarge(f"{shown}: has {len(content):,} bytes, more than {limits.bytes:,}", param="file")
    if not content.strip():
        raise UnreadableDocument(f"{shown}: is empty", param="file")
    kind = _by_bytes(content)
    if kind is None:
        for magic, reason in _FOREIGN:
            if content.startswith(magic):
                raise UnsupportedMedia(f"{shown}: {reason}; {_READ}", param="file")
        if claimed in (Kind.PDF, Kind.DOCX):
            raise UnreadableDocument(f"{shown}: is said to be a {claimed}, but its content is not", param="file")
        kind = claimed
    if kind is None:
        raise UnsupportedMedia(f"{shown}: is of an unknown type; {_READ}", param="file")
    return Source(content, shown, kind, charset, limits)


def _by_bytes(content: bytes) -> Kind | None:
    # The PDF header may stand anywhere in the first kilobyte (ISO 32000-1, annex H.3.4.1); text that speaks
    # about it there, without the end mark, is still text.
    if content.startswith(b"%PDF-") or (b"%PDF-" in content[:1024] and b"%%EOF" in content[-2048:]):
        return Kind.PDF
    return Kind.DOCX if content.startswith((b"PK\x03\x04", b"PK\x05\x06")) else None


def _declared(declared_type: str | None) -> tuple[str, str | None]:
    if not declared_type:
        return "", None
    header = Message()
    header["content-type"] = clean(declared_type)
    return header.get_content_type(), header.get_content_charset()
