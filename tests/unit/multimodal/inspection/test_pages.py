"""The report as Markdown and as a PDF."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from PIL import Image
from pypdf import PdfReader

from core.media import Picture
from multimodal.inspection.compose import Heading, compose
from multimodal.inspection.evidence import Photo, TypedNote, VoiceNote
from multimodal.inspection.markdown import markdown
from multimodal.inspection.pdf import pdf
from multimodal.inspection.report import Report
from tests.fakes.console_field import HEADING, evidence
from tests.fakes.field_senses import reading, transcript

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "<script>x</script> ![a](http://evil.example/x) [b](javascript:1) | `c` **d** www.evil.example LEAK"
ODD = "leak \x00\x1b[31m \u202e \ud800 \U0001f4a7 漏れ تسرب \u0301 ﷽ " + "".join(map(chr, range(0x20, 0x2FFF, 37)))


def report() -> Report:
    return compose(
        [
            Photo(1, reading("PUMP P-101", "4.2 bar")),
            VoiceNote(1, transcript("P-101 reads five bar. The seal is leaking badly and must be replaced at once.")),
        ],
        Heading(site="Pier 9"),
    )


def picture(size: tuple[int, int] = (640, 480)) -> Picture:
    made = io.BytesIO()
    Image.new("RGB", size, "#cde").save(made, "PNG")
    return Picture(made.getvalue(), "image/png", *size)


def text_of(content: bytes) -> str:
    pages = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return " ".join(pages.split())


def test_markdown_links_to_the_photo_and_to_the_second() -> None:
    text = markdown(report(), "fr_1")
    assert "- **Site:** Pier 9\n" in text
    quote = "> “The seal is leaking badly and must be replaced at once.”"
    assert f"{quote} ([note 1, 0:01–0:05](fr_1/notes/1#t=1.6,5.9))" in text
    assert "[photo 1, line 2](fr_1/photos/1)" in text
    assert "| 4.2 bar | “4.2 bar” | [photo 1, line 2](fr_1/photos/1) |" in text
    assert "because of “at once”" in text


def test_the_example_in_the_documentation_is_what_the_code_makes() -> None:
    page = (Path(__file__).parents[4] / "docs" / "field-reports.md").read_text()
    example = page.partition("````markdown\n")[2].partition("````")[0]
    assert example == markdown(compose(evidence(), HEADING), "fr_5d0c")


def test_what_was_said_is_no_markup() -> None:
    made = compose([Photo(1, reading(HOSTILE)), TypedNote(1, HOSTILE + "\n# heading\n- item leak")])
    html = MarkdownIt("gfm-like", {"linkify": False}).enable("table").render(markdown(made, "fr_1"))
    assert set(re.findall(r"href=\"([^\"]*)\"", html)) <= {"fr_1/photos/1"}
    for markup in ("<script", "<img", "<code", "<strong>d"):
        assert markup not in html
    assert "heading</h" not in html


def test_the_pdf_has_the_findings_the_times_and_the_photos() -> None:
    content = pdf(report(), [picture(), picture((300, 900))], NOW)
    text = text_of(content)
    for told in ("Pier 9", "Photo 1", "Photo 2", "1. seal", "note 1, 0:01", "4.2 bar", "Open questions"):
        assert told in text
    images = [image for page in PdfReader(io.BytesIO(content)).pages for image in page.images]
    assert len(images) == 2


@pytest.mark.parametrize("fonts", [None, ()])
def test_any_text_goes_in_with_and_without_a_font(fonts: tuple[Path, ...] | None) -> None:
    made = compose([TypedNote(1, ODD), TypedNote(1, "leak " * 3000), TypedNote(1, "y" * 3000 + " leak")])
    content = pdf(made, [], NOW) if fonts is None else pdf(made, [], NOW, fonts)
    assert "leak" in text_of(content)
    assert markdown(made, "fr_1").encode()


def test_a_report_without_anything_is_a_page() -> None:
    assert "No evidence was given." in text_of(pdf(compose([]), [], NOW))
