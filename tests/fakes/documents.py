"""Small documents for tests, made by hand: PDF files with a text layer, Word files, and sources to read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

from docx import Document
from docx.document import Document as WordDocument

from retrieval.readers.text import Kind, ReadLimits, Source


def source(content: bytes | str, kind: Kind, filename: str = "some_file", limits: ReadLimits | None = None) -> Source:
    """A source as `identify` would make it."""
    data = content.encode() if isinstance(content, str) else content
    return Source(data, f"{filename}.{kind}", kind, None, limits or ReadLimits())


def pdf(pages: Sequence[Sequence[str]], title: str = "") -> bytes:
    """A PDF with one line of text below the other; empty strings leave a gap."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        shown = "".join(f"({_escaped(line)}) Tj T*\n" if line else "T*\n" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 750 Td\n{shown}ET".encode("latin-1")
        objects.append(b"<</Length %d>>stream\n%b\nendstream" % (len(stream), stream))
        font = "/Resources<</Font<</F1 3 0 R>>>>"
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R{font}>>"
        objects.append(page.encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    objects.append(f"<</Title({_escaped(title)})>>".encode("latin-1"))
    return _assembled(objects)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assembled(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return bytes(out + trailer % (len(objects) + 1, len(objects), table))


def word(document: WordDocument) -> bytes:
    """The bytes of a Word document."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def simple_word(text: str = "We open at nine.") -> bytes:
    """A Word file of one paragraph."""
    document = Document()
    document.add_paragraph(text)
    return word(document)


def with_part(content: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The archive with these parts added, or put in place of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, data in parts.items():
            new.writestr(name, data)
    return out.getvalue()
