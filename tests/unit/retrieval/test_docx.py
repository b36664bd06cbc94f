"""Word files: everything in its order, and archives that are something else."""

import io
import zipfile

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from core.errors import TooLarge, UnreadableDocument, UnsupportedMedia
from retrieval.readers.docx import extract
from retrieval.readers.text import Kind, ReadLimits, ReadText
from tests.fakes.documents import simple_word, source, with_part, word


def read(content: bytes, limits: ReadLimits | None = None) -> ReadText:
    return extract(source(content, Kind.DOCX, limits=limits))


def test_headings_lists_and_tables_in_order() -> None:
    document = Document()
    document.add_paragraph("Fees", style="Title")
    document.add_heading("Cards", 1)
    document.add_paragraph("Choose:")
    document.add_paragraph("one", style="List Bullet")
    document.add_paragraph("inner", style="List Bullet 2")
    document.add_paragraph("two", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("A", "B", "1", "x"), strict=True):
        cell.text = text
    document.add_heading("Loans", 2)
    document.add_paragraph("None.")
    got = read(word(document))
    assert got.title == "Fees"
    assert got.text == "Cards\n\nChoose:\n- one\n  - inner\n- two\n\nA: 1; B: x\n\nLoans\n\nNone."
    assert [s.headings for s in got.sections] == [("Cards",), ("Cards", "Loans")]


def test_content_controls_and_insertions_are_read_and_deletions_are_not() -> None:
    document = Document()
    body = document.element.body
    run = "<w:r><w:t>{}</w:t></w:r>"
    body.insert(
        0, parse_xml(f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p>{run.format('Inside.')}</w:p></w:sdtContent></w:sdt>")
    )
    changed = (
        f"<w:ins>{run.format('new ')}</w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del>{run.format('end.')}"
    )
    body.insert(1, parse_xml(f"<w:p {nsdecls('w')}>{changed}</w:p>"))
    assert read(word(document)).text == "Inside.\n\nnew end."


def test_the_title_in_the_properties_comes_first() -> None:
    document = Document()
    document.core_properties.title = "From the properties"
    document.add_heading("Chapter", 1)
    document.add_paragraph("Text.")
    got = read(word(document))
    assert got.title == "From the properties"
    assert got.sections[0].headings == ("Chapter",)


def test_another_kind_of_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(UnsupportedMedia, match="not a Word document"):
        read(out.getvalue())


def test_archives_that_unpack_to_too_much_are_refused() -> None:
    bomb = with_part(simple_word(), {"word/media/big.xml": b" " * 4_000_000})
    with pytest.raises(TooLarge, match="compressed more than"):
        read(bomb)
    with pytest.raises(TooLarge, match="more than 1 MB"):
        read(bomb, ReadLimits(inflated=2**20))
    with pytest.raises(TooLarge, match="more than 5 files"):
        read(simple_word(), ReadLimits(entries=5))


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    content = bytearray(with_part(simple_word(), {"word/media/a.bin": b"0123456789" * 5000}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(UnreadableDocument, match="damaged"):
        read(bytes(content))


def test_entities_are_refused() -> None:
    xml = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d>&e;</d>'
    with pytest.raises(UnreadableDocument, match="XML entities"):
        read(with_part(simple_word(), {"word/document.xml": xml}))


@pytest.mark.parametrize("part", ["word/document.xml", "[Content_Types].xml", "word/styles.xml", "_rels/.rels"])
@pytest.mark.parametrize("data", [b"", b"<broken", b"\x00\xff" * 50])
def test_damaged_parts_are_refused(part: str, data: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        read(with_part(simple_word(), {part: data}))


def test_a_cut_off_file_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="damaged"):
        read(simple_word()[:2000])
