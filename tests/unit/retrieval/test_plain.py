"""Plain text, the choice of the reader, and the characters in the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput, TooLarge, UnreadableDocument, UnsupportedMedia
from retrieval.readers.detect import identify
from retrieval.readers.parsing import parse
from retrieval.readers.plain import extract
from retrieval.readers.text import Kind, ReadLimits
from tests.fakes.documents import pdf, simple_word, source

LIMITS = ReadLimits()


def test_wrapped_lines_become_sentences_again() -> None:
    got = extract(
        source(
            "Opening hours\n=============\n\n"
            "Our stores are open on every day of the work-\ning week and on Saturdays, all\nyear round.\n\n"
            "Bring:\n- a card that is long enough to be\n  wrapped\n- cash\n\n1 Quay Lane\nGalway\n",
            Kind.PLAIN,
        )
    )
    assert got.title == "Opening hours"
    assert got.text == (
        "Our stores are open on every day of the working week and on Saturdays, all year round.\n\n"
        "Bring:\n- a card that is long enough to be wrapped\n- cash\n\n1 Quay Lane\nGalway"
    )


@pytest.mark.parametrize(
    "content",
    ["Café – 5 €".encode(e) for e in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")],
)
def test_encodings(content: bytes) -> None:
    assert extract(source(content, Kind.PLAIN)).text == "Café – 5 €"


@pytest.mark.parametrize("content", [b"\x00\x01\x02\x03", b"text\x00more", b"\xff\xfe\x00\xd8", bytes(range(256)) * 4])
def test_binary_posing_as_text_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableDocument, match=r"some_file\.txt: is binary"):
        extract(source(content, Kind.PLAIN))


@pytest.mark.parametrize(
    ("content", "name", "declared", "kind"),
    [
        (pdf([["x"]]), "wrong.txt", None, Kind.PDF),
        (simple_word(), "noname", "text/plain", Kind.DOCX),
        (b"x", "a.MARKDOWN", "text/plain", Kind.MARKDOWN),
        (b"x", "a.log", "text/plain; charset=koi8-r", Kind.PLAIN),
        (b"x", "page", "text/html", Kind.HTML),
        (b"What %PDF-1.4 means", "a.txt", None, Kind.PLAIN),
    ],
)
def test_the_format_is_found(content: bytes, name: str, declared: str | None, kind: Kind) -> None:
    assert identify(content, name, declared, LIMITS).kind is kind


@pytest.mark.parametrize(
    ("content", "name", "error", "reason"),
    [
        (b"", "a.md", UnreadableDocument, "a.md: is empty"),
        (b" \n\t", "a.txt", UnreadableDocument, "is empty"),
        (b"text", "a.pdf", UnreadableDocument, "said to be a pdf"),
        (b"text", "a.docx", UnreadableDocument, "said to be a docx"),
        (b"a,b", "a.csv", UnsupportedMedia, "unknown type"),
        (b"\x89PNG\r\n", "a.md", UnsupportedMedia, "is a picture"),
        (b"\xd0\xcf\x11\xe0", "a.docx", UnsupportedMedia, "old Word format"),
        (b"x" * 11, "/up/../a\n.md", TooLarge, "^a .md: has 11 bytes, more than 10"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, name: str, error: type[InvalidInput], reason: str) -> None:
    with pytest.raises(error, match=reason) as caught:
        identify(content, name, None, ReadLimits(bytes=10))
    assert caught.value.param == "file"


@given(
    st.binary(max_size=200), st.sampled_from(["a.md", "a.txt", "a.html", "a"]), st.sampled_from([None, "text/plain"])
)
def test_any_bytes_are_read_or_refused(content: bytes, name: str, declared: str | None) -> None:
    try:
        got = parse(identify(content, name, declared, LIMITS))
    except InvalidInput as error:
        assert error.param == "file"
        return
    assert got.text.encode() and got.title.encode() and got.sections[-1].end == len(got.text)
