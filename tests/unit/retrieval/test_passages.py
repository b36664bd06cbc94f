"""Passages keep offsets and headings, stay together where they fit, and break at good places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableDocument
from core.types import Passage
from retrieval.passages import PIECES, split
from retrieval.pieces import estimate
from retrieval.readers.markdown import extract
from retrieval.readers.text import Kind, ReadText
from tests.fakes.documents import source


def read(text: str) -> ReadText:
    return extract(source(text, Kind.MARKDOWN))


def passages(text: str, size: int = 180) -> list[Passage]:
    return split("doc", read(text), size)


def words(n: int, word: str = "word") -> str:
    return " ".join([word] * n)


def test_a_short_document_is_one_passage_with_its_headings_in_the_text() -> None:
    (only,) = passages("# T\n\nIntro.\n\n## A\n\nOne.\n\n## B\n\n- Two.\n")
    assert only == Passage("doc", "T", (), "Intro.\n\nA\n\nOne.\n\nB\n\n- Two.", 0, 26, 0)


def test_long_sections_stand_alone_and_short_neighbours_together() -> None:
    got = passages(f"# T\n\n## A\n\n{words(179)}\n\n## B\n\nShort.\n\n## C\n\nAlso.\n\n## D\n\n{words(179)}\n")
    assert [(p.headings, p.text[:20], p.position) for p in got] == [
        (("A",), "word word word word ", 0),
        ((), "B\n\nShort.\n\nC\n\nAlso.", 1),
        (("D",), "word word word word ", 2),
    ]


def test_only_sections_of_one_parent_stand_together() -> None:
    first = f"## A\n\n{words(179)}\n\n### A1\n\nOne.\n\n"
    got = passages(f"# T\n\n{first}## B\n\n### B1\n\nTwo.\n\n### B2\n\n{words(179)}\n")
    assert [(p.headings, p.text[:9]) for p in got] == [
        (("A",), "word word"),
        (("A", "A1"), "One."),
        (("B", "B1"), "Two."),
        (("B", "B2"), "word word"),
    ]


def test_a_heading_with_nothing_below_is_not_lost() -> None:
    got = passages(f"# T\n\n## A\n\n{words(180)}\n\n## Closed on Sundays\n\n## C\n\n{words(180)}\n")
    assert (got[1].headings, got[1].text) == ((), "Closed on Sundays")


def test_long_text_breaks_at_paragraphs_into_even_parts() -> None:
    got = passages("# T\n\n" + "\n\n".join(words(40) + "." for _ in range(6)))
    assert [p.text.count(".") for p in got] == [3, 3]


def test_tables_break_between_rows() -> None:
    rows = "".join(f"| item {n} | {words(20)} |\n" for n in range(12))
    got = passages(f"# T\n\n| Name | What |\n|---|---|\n{rows}")
    assert len(got) > 1
    assert all(line.startswith("Name: item ") for p in got for line in p.text.split("\n"))


def test_long_paragraphs_break_between_sentences_and_long_sentences_between_words() -> None:
    got = passages("# T\n\n" + " ".join(f"This is number {n} of all the sentences, e.g. Nina's." for n in range(40)))
    assert len(got) > 1
    assert all(p.text.startswith("This") and p.text.endswith("Nina's.") for p in got)
    assert all(len(p.text.split()) <= 180 for p in passages("# T\n\n" + words(1000)))
    assert all(estimate(p.text) <= PIECES for p in passages("# T\n\n" + "x" * 5000 + " " + "漢" * 5000))


def test_a_long_title_leaves_less_room() -> None:
    text = words(150, "extraordinary")
    assert len(passages(f"# {words(60)}\n\n{text}")) > len(passages(f"# T\n\n{text}"))


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        passages("Text.", 0)


@pytest.mark.parametrize(
    ("text", "at_least"),
    [
        ("The fee is due at once.", 7),  # every word is a piece of its own
        ("unaffordable", 3),  # una ##fford ##able
        ("internationalisation", 2),  # international ##isation
        ("日本語", 3),
    ],
)
def test_the_estimate_is_not_below_what_a_tokenizer_gives(text: str, at_least: int) -> None:
    assert estimate(text) >= at_least


_TABLE = "| a | b |\n|-|-|\n| c | d |\n\n"
_BLOCKS = st.sampled_from(
    ["# H\n\n", "## A\n\n", "## B\n\n", "### C\n\n", "- an item. Two\n", "para. Para\n\n", _TABLE]
)


@given(st.lists(_BLOCKS | st.text(max_size=30), max_size=30).map("".join), st.integers(1, 40))
def test_offsets_are_exact_and_nothing_is_lost(text: str, size: int) -> None:
    try:
        document = read(text.encode("utf-8", "replace").decode())
    except UnreadableDocument:
        return
    got = split("doc", document, size)
    assert [p.position for p in got] == list(range(len(got)))
    end = 0
    covered = list(document.text)
    for p in got:
        assert document.text[p.start : p.end] == p.text == p.text.strip() != ""
        assert p.start >= end
        assert len(p.text.split()) <= size
        end = p.end
        covered[p.start : p.end] = " " * (p.end - p.start)
    headings = {name for p in got for name in p.headings}
    left = {line.strip() for line in "".join(covered).split("\n") if line.strip()}
    assert left <= headings, "only lines of headings that are in a path may be left out"


def test_a_section_is_a_passage_and_only_small_ones_stay_together() -> None:
    long, short = "word " * 45, "word " * 5
    document = read(f"# Title\n\n## A\n\n{long}\n\n## B\n\n{long}\n\n## C\n\n{short}\n\n## D\n\n{short}\n")
    assert [p.headings for p in split("doc", document)] == [("A",), ("B",), ()]
    assert "C" in split("doc", document)[2].text and "D" in split("doc", document)[2].text
