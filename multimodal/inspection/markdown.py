"""A field report as Markdown. What was said or shown is escaped: it is text there and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from multimodal.inspection.linking import clock
from multimodal.inspection.report import Citation, Finding, Origin, Report, Stated

# What could begin markup within a line, and the links that some readers make of bare addresses.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&@]|(?<=[a-z]):(?=//)|(?<=www)\.)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def markdown(report: Report, base: str) -> str:
    """The whole report. `base` is where its media lie: `<base>/photos/1` and `<base>/notes/1`."""
    return "\n".join(_Page(base).lines(report)) + "\n"


class _Page:
    def __init__(self, base: str) -> None:
        self._base = base

    def lines(self, report: Report) -> Iterator[str]:
        yield "# Field report"
        yield ""
        for name, stated in (("Site", report.site), ("Date", report.date), ("Inspector", report.inspector)):
            if stated is not None:
                yield f"- **{name}:** {self._stated(stated)}"
        yield ""
        yield escaped(report.summary)
        if report.findings:
            yield from ("", "## Findings")
            for finding in report.findings:
                yield from self._finding(finding)
        if report.questions:
            yield from ("", "## Open questions", "")
            for question in report.questions:
                yield f"- {escaped(question.text)} ({self._places(question.citations)})"
        if report.measurements:
            yield from ("", "## Measurements", "", "| Value | As said or shown | Where |", "|---|---|---|")
            for each in report.measurements:
                yield f"| {each.value} {each.unit} | {_quote(each.quote)} | {self._place(each.evidence)} |"
        if report.identifiers:
            yield from ("", "## Serial numbers and tags", "", "| What | Value | Where |", "|---|---|---|")
            for named in report.identifiers:
                yield f"| {named.kind} | {escaped(named.value)} | {self._place(named.evidence)} |"
        if report.cleared:
            yield from ("", "## Checked, nothing found", "")
            for cleared in report.cleared:
                yield f"- {escaped(', '.join(cleared.what))}: {self._cited(cleared.evidence)}"
        for title, citations in (("Also said", report.remarks), ("Text in the photos", report.texts)):
            if citations:
                yield from ("", f"## {title}", "")
                yield from (f"- {self._cited(each)}" for each in citations)

    def _finding(self, finding: Finding) -> Iterator[str]:
        about = [escaped(each.value) for each in (finding.asset, finding.area) if each is not None]
        yield from ("", f"### {finding.number}. {', '.join(about) or 'Finding'} · {finding.severity.value}", "")
        yield f"> {self._cited(finding.evidence)}"
        yield ""
        words = ", ".join(f"“{escaped(each)}”" for each in finding.severity_because)
        because = f"because of {words}" if words else "as no word says otherwise"
        yield f"- **Severity:** {finding.severity.value}, {because}"
        if finding.photos:
            links = (f"{self._photo(each.number)} ({escaped(each.because)})" for each in finding.photos)
            yield f"- **Photo:** {', '.join(links)}"
        yield from (f"- **Shown:** {self._cited(each)}" for each in finding.shown)
        yield from (f"- **Action:** {self._cited(each)}" for each in finding.actions)

    def _stated(self, stated: Stated) -> str:
        where = f" ({self._place(stated.citation)})" if stated.citation is not None else ""
        return escaped(stated.value) + where

    def _cited(self, citation: Citation) -> str:
        return f"{_quote(citation.quote)} ({self._place(citation)})"

    def _places(self, citations: Iterable[Citation]) -> str:
        return "; ".join(self._place(each) for each in citations)

    def _place(self, citation: Citation) -> str:
        if citation.origin is Origin.VOICE:
            begins, ends = citation.start or 0.0, citation.end or 0.0
            told = f"note {citation.number}, {clock(begins)}–{clock(ends)}"
            return f"[{told}]({self._base}/notes/{citation.number}#t={begins:g},{ends:g})"
        if citation.origin is Origin.TEXT:
            return "typed note"
        return self._photo(citation.number, f", line {citation.line}" if citation.line else ", description")

    def _photo(self, number: int, more: str = "") -> str:
        return f"[photo {number}{more}]({self._base}/photos/{number})"


def escaped(text: str) -> str:
    """The text on one line, with everything that could be markup taken literally."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def plain(text: str) -> str:
    """The text on one line, without what controls a terminal, a page or the direction of writing."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return " ".join(_CONTROLS.sub(" ", whole).split())


def _quote(text: str) -> str:
    return f"“{escaped(text)}”"
