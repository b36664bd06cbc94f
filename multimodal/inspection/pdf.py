"""A field report as a PDF, with its photos. Any text goes in: what no font has is shown as a box or a question mark."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace
from PIL import Image

from core.media import Picture
from multimodal.inspection.linking import clock
from multimodal.inspection.markdown import plain
from multimodal.inspection.report import Citation, Finding, Origin, Report, Severity, Stated

# DejaVu has most of the world's alphabets. Without it the PDF's own Helvetica is used, which has Western Europe's.
_FONTS = (
    Path("/usr/share/fonts/truetype/dejavu"),  # Debian, Ubuntu
    Path("/usr/share/fonts/dejavu-sans-fonts"),  # Fedora
    Path("/usr/share/fonts/TTF"),  # Arch
)
_FILES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_WESTERN = str.maketrans({"“": '"', "”": '"', "’": "'", "–": "-", "…": "...", "Ω": "ohm"})
_COLOURS: Mapping[Severity, tuple[int, int, int]] = {
    Severity.HIGH: (248, 215, 210),
    Severity.MEDIUM: (250, 233, 200),
    Severity.LOW: (222, 236, 222),
}
_INK, _FAINT, _RULE, _HEAD = (30, 36, 38), (95, 102, 105), (190, 195, 196), (236, 239, 238)
_LINE = 5.0  # millimetres
_PHOTOS_A_ROW, _GAP = 3, 4.0
_THUMBNAIL = 700  # pixels of the longer side
# A table's row has to fit on a page, whatever somebody said in one breath; the whole of it stands below the table.
_CELL = 240


def pdf(report: Report, photos: Sequence[Picture], created: datetime, fonts: Sequence[Path] = _FONTS) -> bytes:
    """The whole report with a numbered thumbnail of each photo. Takes a while: call it in a thread."""
    page = _Page(created, fonts)
    page.title("Field report", 20)
    for name, stated in (("Site", report.site), ("Date", report.date), ("Inspector", report.inspector)):
        if stated is not None:
            page.fact(name, stated)
    page.space()
    page.text(report.summary)
    page.photos(photos)
    if report.findings:
        page.title("Findings")
        page.table(
            ("No.", "Severity", "About", "Finding", "Evidence"),
            (9, 18, 34, 78, 41),
            [_row(each) for each in report.findings],
            [_COLOURS[each.severity] for each in report.findings],
        )
        for finding in report.findings:
            page.finding(finding)
    if report.questions:
        page.title("Open questions")
        for question in report.questions:
            page.item(f"{question.text} ({'; '.join(_place(each) for each in question.citations)})")
    if report.measurements:
        page.title("Measurements")
        rows = [(f"{each.value} {each.unit}", each.quote, _place(each.evidence)) for each in report.measurements]
        page.table(("Value", "As said or shown", "Where"), (40, 80, 60), rows)
    if report.identifiers:
        page.title("Serial numbers and tags")
        named = [(each.kind, each.value, _place(each.evidence)) for each in report.identifiers]
        page.table(("What", "Value", "Where"), (40, 80, 60), named)
    if report.cleared:
        page.title("Checked, nothing found")
        for each in report.cleared:
            page.item(f"{', '.join(each.what)}: {_cited(each.evidence)}")
    for heading, citations in (("Also said", report.remarks), ("Text in the photos", report.texts)):
        if citations:
            page.title(heading)
            for citation in citations:
                page.item(_cited(citation))
    return bytes(page.paper.output())


class _Page:
    """The paper and the few kinds of text on it."""

    def __init__(self, created: datetime, fonts: Sequence[Path]) -> None:
        self.paper = FPDF(format="A4")
        self.paper.set_creation_date(created)
        self.paper.set_title("Field report")
        self.paper.set_lang("en")
        self.paper.set_margin(15)
        self.paper.set_auto_page_break(True, 15)
        self.paper.set_draw_color(*_RULE)
        folder = next((each for each in fonts if all((each / name).is_file() for name in _FILES.values())), None)
        self._western = folder is None
        self._family = "Helvetica" if folder is None else "DejaVu"
        if folder is not None:
            for style, name in _FILES.items():
                self.paper.add_font("DejaVu", style, folder / name)
        self.paper.add_page()
        self._write(9)

    def title(self, text: str, size: float = 13) -> None:
        """A heading, not at the very end of a page."""
        if self.paper.will_page_break(25):
            self.paper.add_page()
        self.space()
        self._line(text, size, "B")
        self.space(1)

    def text(self, text: str, indent: float = 0.0) -> None:
        """A paragraph."""
        self._line(text, 9.5, indent=indent)

    def item(self, text: str) -> None:
        """An item of a list."""
        self._line(f"· {text}", 9, indent=2)
        self.space(0.8)

    def fact(self, name: str, stated: Stated) -> None:
        """A line of the heading."""
        where = f" ({_place(stated.citation)})" if stated.citation is not None else ""
        self._line(f"{name}: {stated.value}{where}", 9.5)

    def finding(self, finding: Finding) -> None:
        """A finding in full."""
        if self.paper.will_page_break(20):
            self.paper.add_page()
        self.space()
        self._line(f"{finding.number}. {_about(finding) or 'Finding'} – {finding.severity.value}", 10, "B")
        self.text(_cited(finding.evidence), 4)
        words = ", ".join(finding.severity_because)
        self._line(f"Severity: {f'because of “{words}”' if words else 'as no word says otherwise'}", 8.5, indent=4)
        for link in finding.photos:
            self._line(f"Photo {link.number}: {link.because}", 8.5, indent=4)
        for name, citations in (("Shown", finding.shown), ("Action", finding.actions)):
            for each in citations:
                self._line(f"{name}: {_cited(each)}", 9, indent=4)

    def space(self, height: float = 3.0) -> None:
        """Some room."""
        self.paper.set_y(self.paper.get_y() + height)

    def photos(self, photos: Sequence[Picture]) -> None:
        """Thumbnails with their numbers, three in a row."""
        width = (self.paper.epw - (_PHOTOS_A_ROW - 1) * _GAP) / _PHOTOS_A_ROW
        for start in range(0, len(photos), _PHOTOS_A_ROW):
            row = [_thumbnail(each) for each in photos[start : start + _PHOTOS_A_ROW]]
            heights = [min(width * each.height / each.width, width) for each in row]
            self.space()
            if self.paper.will_page_break(max(heights) + 6):
                self.paper.add_page()
            top = self.paper.get_y()
            for place, (thumbnail, height) in enumerate(zip(row, heights, strict=True)):
                left = self.paper.l_margin + place * (width + _GAP)
                wide = min(width, height * thumbnail.width / thumbnail.height)
                number = start + place + 1
                self.paper.image(thumbnail, left, top, wide, height, alt_text=f"Photo {number}")
                self._write(8.5, "B")
                self.paper.set_xy(left, top + height + 0.5)
                self.paper.cell(width, _LINE, f"Photo {number}")
            self.paper.set_xy(self.paper.l_margin, top + max(heights) + 6)

    def table(
        self,
        heads: Sequence[str],
        widths: tuple[int, ...],
        rows: Iterable[Sequence[str]],
        colours: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        """A table; `colours` are those of the rows' second cells."""
        self._write(8.6)
        with self.paper.table(
            col_widths=widths,
            text_align="LEFT",
            line_height=4.2,
            padding=1.2,
            v_align="TOP",
            headings_style=FontFace(emphasis="BOLD", fill_color=_HEAD),
        ) as table:
            table.row([self._fit(each) for each in heads])
            for number, cells in enumerate(rows):
                row = table.row()
                for column, cell in enumerate(cells):
                    marked = FontFace(fill_color=colours[number]) if colours and column == 1 else None
                    row.cell(self._fit(cell if len(cell) <= _CELL else cell[:_CELL] + "…"), style=marked)
        self.space(2)

    def _line(self, text: str, size: float, style: str = "", indent: float = 0.0) -> None:
        self._write(size, style)
        self.paper.set_x(self.paper.l_margin + indent)
        self.paper.multi_cell(
            self.paper.epw - indent, size * 0.5, self._fit(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def _write(self, size: float, style: str = "") -> None:
        self.paper.set_font(self._family, "B" if style == "B" else "", size)
        self.paper.set_text_color(*(_INK if size > 8.5 or style else _FAINT))

    def _fit(self, text: str) -> str:
        text = plain(text)
        return text.translate(_WESTERN).encode("latin-1", "replace").decode("latin-1") if self._western else text


def _row(finding: Finding) -> tuple[str, ...]:
    return (
        str(finding.number),
        finding.severity.value,
        _about(finding),
        f"“{finding.evidence.quote}”",
        "; ".join([_place(finding.evidence), *(f"photo {each.number}" for each in finding.photos)]),
    )


def _about(finding: Finding) -> str:
    return ", ".join(each.value for each in (finding.asset, finding.area) if each is not None)


def _cited(citation: Citation) -> str:
    return f"“{citation.quote}” ({_place(citation)})"


def _place(citation: Citation) -> str:
    if citation.origin is Origin.VOICE:
        return f"note {citation.number}, {clock(citation.start or 0.0)}–{clock(citation.end or 0.0)}"
    if citation.origin is Origin.TEXT:
        return "typed note"
    return f"photo {citation.number}, {f'line {citation.line}' if citation.line else 'description'}"


def _thumbnail(picture: Picture) -> Image.Image:
    with Image.open(io.BytesIO(picture.content)) as whole:
        small = whole.convert("RGB")
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return small
