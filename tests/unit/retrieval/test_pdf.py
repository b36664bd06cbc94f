"""PDF files: their text layer as sentences, and why some are refused."""

import io

import pytest
from pypdf import PdfReader, PdfWriter

from core.errors import TooLarge, UnreadableDocument
from retrieval.readers.pdf import extract
from retrieval.readers.text import Kind, ReadLimits, ReadText
from tests.fakes.documents import pdf, source


def read(content: bytes, limits: ReadLimits | None = None) -> ReadText:
    return extract(source(content, Kind.PDF, limits=limits))


def encrypted(password: str) -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf([["Secret."]]))))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_lines_are_joined_and_hyphens_undone() -> None:
    lines = ["The fee for a replace-", "ment card is five euros", "and taken now.", "", "Bring:", "- a card", "- cash"]
    got = read(pdf([lines], title="Card fees"))
    assert got.title == "Card fees"
    assert got.text == "The fee for a replacement card is five euros and taken now.\nBring:\n- a card\n- cash"


def test_running_headers_and_page_numbers_are_dropped() -> None:
    bodies = ["The first page says this and", "that is the end of it.", "Something else stands here."]
    pages = [["Harbor & Pine", "", body, "", f"Page {n} of 3"] for n, body in enumerate(bodies, start=1)]
    assert read(pdf(pages)).text == "The first page says this and that is the end of it.\n\nSomething else stands here."


@pytest.mark.parametrize("title", ["", "Untitled", "Microsoft Word - x.docx", "fees.indd"])
def test_a_title_that_says_nothing_is_not_used(title: str) -> None:
    assert read(pdf([["Text."]], title=title)).title == "Some file"


def test_a_scan_is_named_as_such() -> None:
    with pytest.raises(UnreadableDocument, match="seems to be a scan"):
        read(pdf([[], []]))


def test_passwords() -> None:
    assert read(encrypted("")).text == "Secret."
    with pytest.raises(UnreadableDocument, match="protected with a password"):
        read(encrypted("open sesame"))


def test_too_many_pages_and_too_much_text() -> None:
    with pytest.raises(TooLarge, match="more than 2 pages"):
        read(pdf([["x"]] * 3), ReadLimits(pages=2))
    with pytest.raises(TooLarge, match="more than 2,000 pages"):
        read(pdf([["x"]]).replace(b"/Count 1", b"/Count 999999999"))
    with pytest.raises(TooLarge, match="more than 5 characters"):
        read(pdf([["some words"]]), ReadLimits(characters=5))


@pytest.mark.parametrize("content", [b"%PDF-1.7\n%%EOF", b"%PDF-" + bytes(range(256)) * 20])
def test_damaged_files_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="damaged"):
        read(content)
