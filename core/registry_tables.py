"""The tables of the model registry. They have no tenant: models belong to the installation as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime
from core.gates import Interval, Metric
from core.versions import Artefact, Candidate, Kind, Lineage, Mode, Plan, Standing, Version


class ModelRow(Base):
    """A model and where it stands. The row's lock is what puts concurrent changes one after the other."""

    __tablename__ = "models"

    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    versions: Mapped[int]
    champions: Mapped[list[int]] = mapped_column(sa.JSON)
    challenger: Mapped[int | None]
    mode: Mapped[str | None]
    percent: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    barred: Mapped[list[int]] = mapped_column(sa.JSON)
    changes: Mapped[int]

    def standing(self) -> Standing:
        """The row as the noun that others know."""
        return Standing(
            model=self.name,
            kind=Kind(self.kind),
            versions=self.versions,
            champions=tuple(self.champions),
            challenger=self.challenger,
            plan=None if self.mode is None else Plan(Mode(self.mode), self.percent),
            since=self.since,
            barred=tuple(self.barred),
            changes=self.changes,
        )


class VersionRow(Base):
    """A version. Written once."""

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("model", "fingerprint"),)

    model: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[str]
    kind: Mapped[str]
    files: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    lineage: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    metrics: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    card: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def version(self) -> Version:
        """The row as the noun that others know."""
        return Version(
            model=self.model,
            number=self.number,
            kind=Kind(self.kind),
            files=tuple(Artefact(**each) for each in self.files),
            lineage=Lineage(**self.lineage),
            metrics=read_metrics(self.metrics),
            card=self.card,
            by=self.created_by,
            at=self.created_at,
        )


def version_row(
    candidate: Candidate, number: int, files: tuple[Artefact, ...], mark: str, by: str, at: datetime
) -> VersionRow:
    """The row of a candidate whose files are kept; `mark` is its fingerprint."""
    return VersionRow(
        model=candidate.model,
        number=number,
        fingerprint=mark,
        kind=candidate.kind.value,
        files=[asdict(each) for each in files],
        lineage=asdict(candidate.lineage),
        metrics=write_metrics(candidate.metrics),
        card=candidate.card,
        created_by=by,
        created_at=at,
    )


def write_metrics(metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Metrics as JSON: one flat object for each name."""
    return {
        name: {
            **asdict(each.interval),
            "lower_is_better": each.lower_is_better,
            "gates": each.gates,
            # Only where there is one: versions from before limits say the same as they did.
            **({} if each.limit is None else {"limit": each.limit}),
        }
        for name, each in metrics.items()
    }


def read_metrics(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Metric]:
    """What `write_metrics` wrote."""
    return {
        name: Metric(
            Interval(each["value"], each["low"], each["high"], each["cases"]),
            each["lower_is_better"],
            each["gates"],
            each.get("limit"),
        )
        for name, each in stored.items()
    }
