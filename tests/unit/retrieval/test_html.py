"""HTML gives what a person would read of the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableDocument
from retrieval.readers.html import extract
from retrieval.readers.text import Kind, ReadText
from tests.fakes.documents import source


def read(text: str | bytes) -> ReadText:
    return extract(source(text, Kind.HTML))


def test_blocks_inline_elements_and_entities() -> None:
    got = read(
        "<h1>Fees</h1><p>A <b>bold</b>ly\n  told&nbsp;tale<br>ends.</p>tail<h2>More</h2><div>x<div>y</div>z</div>"
    )
    assert got.title == "Fees"
    assert got.text == "A boldly told tale\nends.\n\ntail\n\nMore\n\nx\n\ny\n\nz"
    assert [s.headings for s in got.sections] == [(), ("More",)]


def test_scripts_styles_hidden_parts_and_navigation_are_dropped() -> None:
    got = read(
        "<head><title>T</title><style>a{}</style></head><body><nav>menu</nav><script>x<b>y</b></script>"
        "<p hidden>h</p><p style='display: none'>n</p><noscript>s</noscript><p>Kept.</p>after<footer>foot</footer>"
    )
    assert (got.title, got.text) == ("T", "Kept.\n\nafter")


def test_main_is_preferred() -> None:
    assert read("<div>around</div><main><p>Inside.</p></main>").text == "Inside."


def test_lists_nest() -> None:
    got = read("<ul><li><p>One</p><p>goes on</p><ul><li>inner</li></ul>late</li><li>Two</ul>end")
    assert got.text == "- One goes on\n  - inner\n\nlate\n\n- Two\n\nend"


def test_tables_are_rows_that_can_be_read_alone() -> None:
    got = read("<table><caption>C</caption><tr><th>A<th>B<tr><td>1<td>x<br>y<tr><td><td>z</table>")
    assert got.text == "C\n\nA: 1; B: x y\nB: z"
    assert read("<table><tr><th>Fee<td>5<tr><th>Limit<td>9</table>").text == "Fee: 5\nLimit: 9"
    assert read("<table><tr><td>a<td>b<tr><td>c<td>d</table>").text == "a; b\nc; d"


def test_tables_that_arrange_a_page_are_walked() -> None:
    assert read("<table><tr><td><h2>Head</h2><p>One.</p><td><p>Two.</p></table>").text == "Head\n\nOne.\n\nTwo."


def test_deep_nesting_is_refused_quickly() -> None:
    assert read("<div>" * 1000 + "deep").text == "deep"
    with pytest.raises(UnreadableDocument, match="nested more than 2,048 deep"):
        read("<div>" * 100_000 + "deep")


def test_a_declared_charset_is_used() -> None:
    page = "<meta charset='windows-1251'><p>Привет</p>".encode("windows-1251")
    assert read(page).text == "Привет"


_PIECES = (
    "<p> </p> <li> <ul> </ul> <table> <tr> <td> <th> </table> <h1> <h2> </h2> <pre> <br> <img> <!-- --> "
    "<script> </script> <main> <?xml <![CDATA[ &#0; < word"
).split(" ")


@given(st.lists(st.sampled_from([*_PIECES, "\n", " "]), max_size=30).map("".join) | st.text(max_size=40))
def test_any_markup_is_read_or_refused(markup: str) -> None:
    try:
        got = read(markup.encode("utf-8", "replace"))
    except UnreadableDocument:
        return
    assert [s.start for s in got.sections] == [0, *(s.end for s in got.sections[:-1])]
    assert got.sections[-1].end == len(got.text) > 0
