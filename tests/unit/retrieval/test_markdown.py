"""Markdown becomes plain sentences; its headings become sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TooLarge, UnreadableDocument
from retrieval.readers.markdown import extract
from retrieval.readers.text import Kind, ReadLimits, ReadText
from tests.fakes.documents import source


def read(text: str, filename: str = "some_file") -> ReadText:
    return extract(source(text, Kind.MARKDOWN, filename))


def test_markup_goes_and_words_stay() -> None:
    text = read(
        "Go *now* to **[the shop](https://shop.example)** with `code 5` ~~soon~~.\nIt is &amp; stays open."
    ).text
    assert text == "Go now to the shop with code 5 soon. It is & stays open."


def test_headings_are_paths_and_the_first_is_the_title() -> None:
    got = read("# Fees\n\nIntro.\n\n## Cards\n\n### Late\n\nFive.\n\n## Loans\n\nNone.\n")
    assert got.title == "Fees"
    assert [(s.headings, got.text[s.body : s.end].strip()) for s in got.sections] == [
        ((), "Intro."),
        (("Cards",), ""),
        (("Cards", "Late"), "Five."),
        (("Loans",), "None."),
    ]


def test_lists_tables_and_code_are_lines() -> None:
    items = "Choose:\n\n1. First one\n   goes on\n2. Second\n   - inner\n\n   more\n\n"
    got = read(items + "| A | B |\n|-|-|\n| 1 | x. y |\n| | z |\n")
    assert got.text == ("Choose:\n- First one goes on\n- Second\n  - inner\n\nmore\n\nA: 1; B: x. y\nB: z")
    assert read("```py\nif x:\n    y\n```").text == "if x:\n    y"


def test_front_matter_is_dropped_and_gives_a_title() -> None:
    got = read("---\ntitle: 'Opening hours'\ntags: [a]\n---\nWe open at nine.\n")
    assert (got.title, got.text) == ("Opening hours", "We open at nine.")
    assert read("---\n\nA rule above.\n\n---\n").text == "A rule above."


def test_html_inside_is_read_as_html() -> None:
    got = read("One<br>two <script>bad()</script>end.\n\n<div><style>p{}</style><p>Three</p></div>\n\n<!-- no -->\n")
    assert got.text == "One\ntwo end.\n\nThree"


@pytest.mark.parametrize(("filename", "title"), [("opening_hours-2024", "Opening hours 2024"), ("__", "Untitled")])
def test_without_a_heading_the_file_name_is_the_title(filename: str, title: str) -> None:
    assert read("Text.", filename).title == title


def test_a_document_without_text_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match=r"some_file\.md: has no text"):
        read("# Title only\n\n<!-- x -->\n")


def test_too_much_text_is_refused() -> None:
    with pytest.raises(TooLarge, match="more than 30 characters of text"):
        extract(source("word " * 10, Kind.MARKDOWN, limits=ReadLimits(characters=30)))


def test_a_file_that_cannot_be_short_enough_is_not_parsed() -> None:
    with pytest.raises(TooLarge, match="more than 20 characters of Markdown"):
        extract(source("word " * 10, Kind.MARKDOWN, limits=ReadLimits(characters=10)))


def test_nesting_is_read_whole_or_refused() -> None:
    assert read("- " * 15 + "deep\n\nAfter.").text.endswith("- deep\n\nAfter.")
    for mark in ("> ", "- ", "1. "):
        with pytest.raises(UnreadableDocument, match="nested too deep"):
            read(mark * 3000 + "deep\n\nAfter.")


@given(st.text(alphabet=st.sampled_from("ab \n#-*_>|`~[]()<!/&;:1.\t\u00ad\u200b\ud800\x0c"), max_size=120))
def test_any_text_gives_sections_that_partition_it(text: str) -> None:
    try:
        got = extract(source(text.encode("utf-8", "replace"), Kind.MARKDOWN))
    except UnreadableDocument:
        return
    assert got.text.strip()
    assert [s.start for s in got.sections] == [0, *(s.end for s in got.sections[:-1])]
    assert got.sections[-1].end == len(got.text)
    assert all(s.start <= s.body <= s.end for s in got.sections)
