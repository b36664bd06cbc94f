"""From bytes to characters: byte order marks, UTF-8, the charset that was declared, and Windows-1252."""

from __future__ import annotations

import codecs
import re

from retrieval.readers.text import Kind, Source

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# An allow-list, because Python also knows charsets that run slowly or decode to something other than text.
_CHARSET = re.compile(r"iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gb(k|2312|18030)|big5", re.I)
_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{1,20})", re.I)
_BINARY = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


def decode(source: Source) -> str:
    """Return the text with `\\n` as its only line end.

    A byte order mark decides; then UTF-8 if the bytes are valid UTF-8, which other charsets' texts hardly ever
    are; then the charset declared by the caller or by an HTML `meta`; then UTF-16 without a mark; then
    Windows-1252, of which Latin-1's printable characters are a part.
    Raises `UnreadableDocument` when none gives text, or the result has control characters as binary files do.
    """
    text = _decoded(source)
    if text is None or _BINARY.search(text):
        raise source.unreadable("is binary, or in an unknown character encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(source: Source) -> str | None:
    content = source.content
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _try(content, encoding)
    text = _try(content, "utf-8")
    if text is not None and "\0" not in text:
        return text
    for charset in (source.charset, _meta(source)):
        if charset and _CHARSET.fullmatch(charset) and (text := _try(content, charset)) is not None:
            return text
    if b"\0" in content:
        # Western text in UTF-16 has its zeros on one side only.
        odd, even = content[1::2].count(0), content[::2].count(0)
        one_sided = min(odd, even) * 20 < max(odd, even)
        return _try(content, "utf-16-le" if odd > even else "utf-16-be") if one_sided else None
    return _try(content, "windows-1252")


def _meta(source: Source) -> str | None:
    found = _META.search(source.content[:2048]) if source.kind is Kind.HTML else None
    return found[1].decode("ascii") if found else None


def _try(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
