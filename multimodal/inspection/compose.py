"""From evidence to a report, by rules that can be explained. Equal evidence gives equal reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from multimodal.inspection import subjects
from multimodal.inspection.contradictions import Claim, by_claim, by_identifier, by_value
from multimodal.inspection.cues import asks, defects, severity
from multimodal.inspection.evidence import Evidence, Photo, Statement, TypedNote, VoiceNote, statements
from multimodal.inspection.linking import Links
from multimodal.inspection.measures import SURE, identifiers, measurements
from multimodal.inspection.report import (
    Citation,
    Cleared,
    Finding,
    Identifier,
    Measurement,
    Origin,
    PhotoLink,
    Question,
    Report,
    Severity,
    Stated,
)

_RANKS = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2}
# What a photo may report by itself: a display's words. "Danger" on a sign is no finding, nor is a "crack" in a poster.
_DISPLAYED = frozenset({"leak", "fault", "alarm", "heat", "error", "expiry"})


@dataclass(frozen=True, slots=True)
class Heading:
    """What was given beside the evidence; it goes before what the evidence says."""

    site: str | None = None
    date: str | None = None
    inspector: str | None = None


def compose(evidence: Sequence[Evidence], heading: Heading | None = None) -> Report:
    """The report of the evidence, which comes in the order of capture.

    Nothing is invented: what nobody said or showed is not in it, and no evidence gives an empty report. What a photo
    shows is quoted; only what the inspector said or typed asks for actions or decides how bad something is.
    """
    draft = _Draft(Links(evidence))
    for each in evidence:
        draft.take(each)
    heading = heading or Heading()
    said = [statement for each in evidence if not isinstance(each, Photo) for statement in statements(each)]
    findings = sorted(draft.findings, key=lambda each: _RANKS[each.severity])
    findings = [replace(each, number=number) for number, each in enumerate(findings, start=1)]
    questions = _unique(
        (
            *by_value(draft.said_measurements, draft.shown_measurements),
            *by_identifier(draft.said_identifiers, draft.shown_identifiers),
            *by_claim(draft.claims),
        )
    )
    measured = [*(each for each, _ in draft.said_measurements), *draft.shown_measurements]
    named = [*(each for each, _ in draft.said_identifiers), *draft.shown_identifiers]
    return Report(
        summary=_summary(evidence, findings, draft.cleared, measured, questions),
        site=_stated(heading.site, said, subjects.site),
        date=_stated(heading.date, said, subjects.date),
        inspector=_stated(heading.inspector, said, subjects.inspector),
        findings=tuple(findings),
        cleared=tuple(draft.cleared),
        measurements=tuple(measured),
        identifiers=tuple(named),
        questions=questions,
        remarks=tuple(draft.remarks),
        texts=tuple(draft.texts),
    )


@dataclass
class _Draft:
    """The parts of a report while the evidence is gone through."""

    links: Links
    findings: list[Finding] = field(default_factory=list)
    cleared: list[Cleared] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    remarks: list[Citation] = field(default_factory=list)
    texts: list[Citation] = field(default_factory=list)
    said_measurements: list[tuple[Measurement, tuple[PhotoLink, ...]]] = field(default_factory=list)
    shown_measurements: list[Measurement] = field(default_factory=list)
    said_identifiers: list[tuple[Identifier, tuple[PhotoLink, ...]]] = field(default_factory=list)
    shown_identifiers: list[Identifier] = field(default_factory=list)

    def take(self, source: Evidence) -> None:
        """Take in one piece of evidence."""
        made = statements(source)
        if isinstance(source, Photo):
            self.texts += [each.citation for each in made]
            self.shown_measurements += measurements(made)
            self.shown_identifiers += identifiers(made)
            for each in made:
                self._shown(each, source)
            return
        places = {each.citation: self.links.of(each, source)[0] for each in made}
        self.said_measurements += [(each, places[each.evidence]) for each in measurements(made)]
        self.said_identifiers += [(each, places[each.evidence]) for each in identifiers(made)]
        self._said(made, source)

    def _shown(self, statement: Statement, photo: Photo) -> None:
        cues = [] if statement.confidence < SURE else defects(statement.text)
        if statement.citation.origin is Origin.PHOTO:
            cues = [each for each in cues if each.stem in _DISPLAYED]
        links, _ = self.links.of(statement, photo)
        self.claims += [Claim(each, statement.citation, None, links) for each in cues]
        if any(not each.denied for each in cues):
            self.findings.append(Finding(0, Severity.MEDIUM, (), statement.citation, None, None, (), (), ()))

    def _said(self, made: Sequence[Statement], source: VoiceNote | TypedNote) -> None:
        asset: Stated | None = None
        area: Stated | None = None
        open_finding = False  # whether this note has a finding that an action may belong to
        for statement in made:
            text, citation = statement.text, statement.citation
            links, lines = self.links.of(statement, source)
            cues = defects(text)
            for cue in cues:
                about = subjects.asset(text, cue.start) or (asset.value if asset else None)
                self.claims.append(Claim(cue, citation, about, links))
            found = next((each for each in cues if not each.denied), None)
            named = subjects.asset(text, found.start if found else 0)
            asset = Stated(named, citation) if named else asset
            area = _stated(None, [statement], subjects.area) or area
            action = asks(text)
            if found is not None or (action and not open_finding):
                degree, words = severity(text)
                degree = degree if found is not None or words else Severity.LOW
                actions = (citation,) if action else ()
                self.findings.append(Finding(0, degree, words, citation, asset, area, links, lines, actions))
                open_finding = True
            elif action:
                self.findings[-1] = _with_action(self.findings[-1], statement)
            elif not cues:
                self.remarks.append(citation)
            if denied := tuple(dict.fromkeys(each.text.lower() for each in cues if each.denied)):
                self.cleared.append(Cleared(denied, citation))


def _with_action(finding: Finding, statement: Statement) -> Finding:
    """The finding with one more action; how urgent the action is says how bad the finding is, if nothing worse does."""
    degree, words = severity(statement.text)
    worse = bool(words) and _RANKS[degree] < _RANKS[finding.severity]
    return replace(
        finding,
        actions=(*finding.actions, statement.citation),
        severity=degree if worse else finding.severity,
        severity_because=words if worse else finding.severity_because,
    )


def _stated(given: str | None, said: Sequence[Statement], find: Callable[[str], str | None]) -> Stated | None:
    if given:
        return Stated(given)
    return next((Stated(value, each.citation) for each in said if (value := find(each.text))), None)


def _unique(questions: Iterable[Question]) -> tuple[Question, ...]:
    return tuple({frozenset(each.citations): each for each in reversed(list(questions))}.values())[::-1]


def _summary(
    evidence: Sequence[Evidence],
    findings: Sequence[Finding],
    cleared: Sequence[Cleared],
    measured: Sequence[Measurement],
    questions: Sequence[Question],
) -> str:
    if not evidence:
        return "No evidence was given."
    kinds = ((Photo, "photo"), (VoiceNote, "voice note"), (TypedNote, "typed note"))
    brought = [
        _count(sum(isinstance(each, kind) for each in evidence), name)
        for kind, name in kinds
        if any(isinstance(each, kind) for each in evidence)
    ]
    degrees = [
        f"{number} {degree.value}" for degree in _RANKS if (number := sum(each.severity is degree for each in findings))
    ]
    counted = _count(len(findings), "finding") + (f" ({', '.join(degrees)})" if findings else "")
    parts = [f"{counted} from {_listed(brought)}."]
    more = ((cleared, "check without findings", "checks without findings"), (measured, "measurement", "measurements"))
    if told := [f"{len(items)} {one if len(items) == 1 else many}" for items, one, many in more if items]:
        parts.append(f"Also {_listed(told)}.")
    if questions:
        parts.append(f"{_count(len(questions), 'open question')} where the evidence does not agree.")
    if findings and findings[0].severity is Severity.HIGH:
        parts.append(f"Most severe: “{findings[0].evidence.quote}”")
    return " ".join(parts)


def _count(number: int, name: str) -> str:
    return f"{number or 'No'} {name}{'' if number == 1 else 's'}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
