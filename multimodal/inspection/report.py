"""A field report. Every sentence in it is quoted or made by a template, and every part says what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Origin(StrEnum):
    """Where something was said or seen."""

    PHOTO = "photo"
    """A line of text in a photo."""
    DESCRIPTION = "description"
    """What a vision model said of a photo."""
    VOICE = "voice"
    TEXT = "text"


class Severity(StrEnum):
    """How bad a finding is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in the evidence, and its words as they stand there.

    `number` counts the photos, the voice notes and the typed notes from 1, each kind by itself. `line` counts a
    photo's lines of text from 1; `start` and `end` are seconds of a voice note.
    """

    origin: Origin
    number: int
    quote: str
    line: int | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A plain fact of the report; without a citation it was given beside the evidence."""

    value: str
    citation: Citation | None = None


@dataclass(frozen=True, slots=True)
class PhotoLink:
    """A photo that a spoken or typed finding is about, and why we think so."""

    number: int
    because: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    `severity_because` are the words that decided the severity, empty where no word did and it is the usual one.
    `asset` and `area` are the evidence's own words. `shown` are lines of photos that have words or numbers in common
    with it; `actions` are what the inspector says should be done.
    """

    number: int
    severity: Severity
    severity_because: tuple[str, ...]
    evidence: Citation
    asset: Stated | None
    area: Stated | None
    photos: tuple[PhotoLink, ...]
    shown: tuple[Citation, ...]
    actions: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Cleared:
    """Something that was looked for and, as `evidence` says, is not there: `what` are the words that name it."""

    what: tuple[str, ...]
    evidence: Citation


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value with its unit; `quote` is how it was said or written."""

    value: Decimal
    unit: str
    quote: str
    evidence: Citation


@dataclass(frozen=True, slots=True)
class Identifier:
    """A serial number, model or tag."""

    kind: str
    value: str
    evidence: Citation


@dataclass(frozen=True, slots=True)
class Question:
    """What the evidence does not agree on, for a person to settle."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole. `remarks` is everything that was said and stands nowhere else, `texts` all that photos show."""

    summary: str
    site: Stated | None
    date: Stated | None
    inspector: Stated | None
    findings: tuple[Finding, ...]
    cleared: tuple[Cleared, ...]
    measurements: tuple[Measurement, ...]
    identifiers: tuple[Identifier, ...]
    questions: tuple[Question, ...]
    remarks: tuple[Citation, ...]
    texts: tuple[Citation, ...]
