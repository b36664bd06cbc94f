"""The words of the model registry: a version with its lineage, where a model stands, and what was decided about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from core.canonical import JSON, canonical
from core.gates import Finding, Metric

NAME = r"^[a-z0-9][a-z0-9.-]{0,62}$"
"""What a model may be called."""

LARGEST_SHARE = 50
"""Percent of the people that a canary may have: with more, too few are left to compare it with."""


class Kind(StrEnum):
    """What the files of a model are."""

    ADAPTER = "adapter"
    GGUF = "gguf"
    STUDENT = "student"
    TABULAR = "tabular"


class Alias(StrEnum):
    """A name for the version that now has a part to play."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"


class Mode(StrEnum):
    """How a challenger is tried: it answers beside the champion, unseen, or it answers some of the people."""

    SHADOW = "shadow"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a challenger is tried. `percent` of the people meet a canary, from 1 to `LARGEST_SHARE`; 0 is a shadow's."""

    mode: Mode
    percent: int = 0


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file of a version: the name it is opened under, its SHA-256, and its size in bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version was made of.

    `base` is the SHA-256 of the model it was tuned from, or empty where there is none; `data` and `recipe` are hashes
    of what it learned from and how; `code` is the revision of the code that did it.
    """

    base: str
    data: str
    recipe: str
    code: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that is to be registered. `files` maps the name of each file to where it lies now."""

    model: str
    kind: Kind
    files: Mapping[str, Path]
    lineage: Lineage
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    card: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A registered model. Nothing about it ever changes. Versions of a model are numbered from 1; `card` is Markdown.

    `by` is a key's id, or `local:` and the name of a user of the machine.
    """

    model: str
    number: int
    kind: Kind
    files: tuple[Artefact, ...]
    lineage: Lineage
    metrics: Mapping[str, Metric]
    card: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a model stands.

    `champions` are the versions that were promoted and not rolled back, the latest last. `barred` were rolled back,
    and are not promoted before they have been tried again. `changes` grows with each change.
    """

    model: str
    kind: Kind
    versions: int
    champions: tuple[int, ...]
    challenger: int | None
    plan: Plan | None
    since: datetime
    barred: tuple[int, ...]
    changes: int

    @property
    def champion(self) -> int | None:
        """The version in force; None while the base model answers."""
        return self.champions[-1] if self.champions else None


@dataclass(frozen=True, slots=True)
class Decision:
    """An entry of the promotion ledger: who made which version what, from which, why, and what the gate found.

    `action` is `register`, `challenge`, `promote`, `refuse` or `rollback`. `hash` is the entry's in the chain.
    """

    number: int
    at: datetime
    by: str
    action: str
    alias: str | None
    before: int | None
    after: int | None
    why: str
    findings: tuple[Finding, ...]
    hash: str


def fingerprint(kind: Kind, files: tuple[Artefact, ...], lineage: Lineage) -> str:
    """What makes two versions of a model the same one: the bytes of their files, and what they were made of."""
    held: list[JSON] = [[each.name, each.sha256] for each in sorted(files, key=lambda file: file.name)]
    said = canonical({"kind": kind.value, "files": held, "lineage": asdict(lineage)})
    return hashlib.sha256(said.encode()).hexdigest()
