"""Word files (docx), through python-docx. Runs in a child process: see `sandbox`."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from docx import Document
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml import etree

from core.errors import UnsupportedMedia
from retrieval.readers.draft import Draft, clean
from retrieval.readers.text import ReadText, Source

_HEADING = re.compile(r"heading (\d)")
_LIST = re.compile(r"list (bullet|number|continue)")
_RATIO = 200  # Word's own files stay under 40; DEFLATE cannot exceed 1,032
_RATIO_FROM = 2**20  # bytes inflated; below, the ratio does no harm
_TEXT, _TAB, _BREAKS = qn("w:t"), qn("w:tab"), (qn("w:br"), qn("w:cr"))
_P, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
# Deleted text, the second version of a drawing kept for older programs, and formatting hold nothing to read.
_UNREAD = frozenset((qn("w:del"), qn("w:pPr"), qn("w:rPr"), qn("w:tblPr"), qn("w:sectPr"), qn("w:moveFrom")))
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BROKEN = (KeyError, ValueError, OpcError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def extract(source: Source) -> ReadText:
    """Read headings, paragraphs, list items and tables in their order; content controls and insertions included.

    The title is the one in the document's properties, else the paragraph in the style Title, else the first
    heading of level 1. Raises `UnreadableDocument`, `UnsupportedMedia` (another kind of archive) and `TooLarge`.
    """
    try:
        _check_archive(source)
        document = Document(io.BytesIO(source.content))
        title = document.core_properties.title
        styles = _Styles(document.styles.element)
    except (etree.XMLSyntaxError, *_BROKEN) as error:
        raise source.unreadable("is damaged: its docx structure cannot be read") from error
    draft = Draft(source, title)
    titled = bool(clean(title))
    for block in _blocks(document.element.body):
        if block.tag == _TABLE:
            draft.table(_rows(block))
            continue
        text = _words(block)
        role, level = styles.role(block)
        if role == "title" and not titled:
            draft.heading(1, text)
            titled = True
        elif role == "heading":
            draft.heading(level, text)
        elif role == "item":
            draft.item(text, level)
        elif role == "paragraph":
            draft.paragraph(text)
    return draft.finish()


def _check_archive(source: Source) -> None:
    """Refuse archives that are no Word file, unpack to too much, or hold XML with a DTD (entities)."""
    limits = source.limits
    with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if "word/document.xml" not in names and not _declares_word(archive, names):
            raise UnsupportedMedia(f"{source.filename}: is an archive, but not a Word document (docx)", param="file")
        if len(entries) > limits.entries:
            raise source.too_large(f"unpacks to more than {limits.entries:,} files")
        said, inflated = sum(entry.file_size for entry in entries), 0
        for entry in entries:
            if said > limits.inflated or inflated > limits.inflated:
                raise source.too_large(f"unpacks to more than {limits.inflated // 2**20:,} MB")
            xml = entry.filename.endswith((".xml", ".rels"))
            with archive.open(entry) as part:
                head, size = b"", 0
                while chunk := part.read(2**18):
                    head, size = head or chunk, size + len(chunk)
                    if inflated + size > limits.inflated:
                        break
            inflated += size
            if size > _RATIO_FROM and size > _RATIO * max(entry.compress_size, 1):
                raise source.too_large("holds a part that is compressed more than any real document is")
            if xml and (b"<!DOCTYPE" in head or b"<!ENTITY" in head):
                raise source.unreadable("holds XML entities, which Word files never do")


def _declares_word(archive: zipfile.ZipFile, names: set[str]) -> bool:
    types = "[Content_Types].xml"
    if types not in names:
        return False
    with archive.open(types) as part:
        return b"wordprocessingml.document.main+xml" in part.read(2**20)


class _Styles:
    """What the paragraphs' styles mean."""

    def __init__(self, styles: etree._Element) -> None:
        self._roles: dict[str, tuple[str, int]] = {}
        for style in styles.iter(qn("w:style")):
            name = style.find(qn("w:name"))
            key = style.get(qn("w:styleId"))
            if name is not None and key:
                based = style.find(qn("w:basedOn"))
                inherited = self._roles.get(based.get(qn("w:val"), ""), None) if based is not None else None
                self._roles[key] = _meaning(name.get(qn("w:val"), "").lower(), style) or inherited or ("paragraph", 0)

    def role(self, paragraph: etree._Element) -> tuple[str, int]:
        """`title`, `heading` (1–9), `item` (depth from 0), `paragraph` or `contents`, with its level."""
        properties = paragraph.find(qn("w:pPr"))
        if properties is None:
            return "paragraph", 0
        style = properties.find(qn("w:pStyle"))
        role = self._roles.get(style.get(qn("w:val"), ""), ("paragraph", 0)) if style is not None else ("paragraph", 0)
        if role[0] in ("title", "heading", "contents"):
            return role
        return _numbered(properties) or role


def _meaning(name: str, style: etree._Element) -> tuple[str, int] | None:
    if heading := _HEADING.fullmatch(name):
        return "heading", int(heading[1])
    if name == "title":
        return "title", 0
    if name.startswith(("toc ", "table of ")):
        return "contents", 0
    properties = style.find(qn("w:pPr"))
    if properties is not None and (outline := properties.find(qn("w:outlineLvl"))) is not None:
        level = _number(outline)
        return ("heading", level + 1) if level < 9 else None
    if _LIST.match(name):
        return "item", int(name[-1]) - 1 if name[-1].isdigit() else 0
    return _numbered(properties) if properties is not None else None


def _numbered(properties: etree._Element) -> tuple[str, int] | None:
    numbering = properties.find(qn("w:numPr"))
    if numbering is None:
        return None
    which, level = numbering.find(qn("w:numId")), numbering.find(qn("w:ilvl"))
    if which is not None and _number(which) == 0:  # numbering switched off
        return "paragraph", 0
    return "item", _number(level) if level is not None else 0


def _number(element: etree._Element) -> int:
    value = element.get(qn("w:val"), "")
    return int(value) if value.isdecimal() else 0


def _blocks(body: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables in order, also those inside content controls."""
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag in (_P, _TABLE):
            yield element
        elif element.tag not in _UNREAD:
            waiting.extend(reversed(element))


def _rows(table: etree._Element) -> list[list[str]]:
    rows = [_inside(row, _CELL) for row in _inside(table, _ROW)]
    return [[" ".join(_words(p) for p in cell.iter(_P)) for cell in row] for row in rows]


def _inside(parent: etree._Element, tag: str) -> Iterator[etree._Element]:
    """The nearest descendants of that tag, so that a table within a cell is not taken apart."""
    waiting = list(reversed(parent))
    while waiting:
        element = waiting.pop()
        if element.tag == tag:
            yield element
        elif element.tag not in (_P, _TABLE, *_UNREAD):
            waiting.extend(reversed(element))


def _words(paragraph: etree._Element) -> str:
    words: list[str] = []
    waiting = list(reversed(paragraph))
    while waiting:
        element = waiting.pop()
        if element.tag in _UNREAD or element.tag == _FALLBACK:
            continue
        if element.tag == _TEXT:
            words.append(element.text or "")
        elif element.tag == _TAB:
            words.append(" ")
        elif element.tag in _BREAKS:
            words.append("\n")
        elif element.tag == _P:  # a text box within the paragraph
            words.append("\n" + _words(element) + "\n")
        else:
            waiting.extend(reversed(element))
    return "".join(words)
