"""The reports of finished evaluations, as files in the workspace: `evals/<suite>-<time>.json`, and `.html` beside it.

The files are the store: what is put there is listed, what is removed is gone. They belong to the tenant that is named
inside. A file appears whole, the report before its figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from core.errors import NotFound

ID = r"^[a-z][a-z0-9_]{0,39}-[0-9]{8}T[0-9]{12}Z$"
"""A suite, and when its run ended: UTC, to the microsecond."""

_ID = re.compile(ID)
_TIME = "%Y%m%dT%H%M%S%fZ"


class Metric(BaseModel):
    """A figure over `cases` cases, with the ends of its 95 % interval where it has one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: FiniteFloat
    low: FiniteFloat | None
    high: FiniteFloat | None
    cases: int


class Evaluation(BaseModel):
    """A finished run of a suite. `data` names what it ran on; `errors` counts the cases that ended in one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    tenant: str
    suite: str
    created_at: datetime
    data: str
    metrics: Mapping[str, Metric]
    facts: Mapping[str, str]
    cases: int
    errors: int
    seconds: float


def evaluation_id(suite: str, at: datetime) -> str:
    """The id of a run of the suite that ended then. Raises `ValueError` for a suite whose name cannot be part of it."""
    made = f"{suite}-{at.astimezone(UTC).strftime(_TIME)}"
    if _ID.fullmatch(made) is None:
        raise ValueError(f"{made!r} is no id of an evaluation")
    return made


class Evaluations:
    """The workspace's evaluations. Its methods read and write files: call them in a thread."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "evals"

    def store(self, evaluation: Evaluation, report: str) -> Path:
        """Keep the run and its report; returns the path of its figures."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self._place(evaluation.id)
        for suffix, content in ((".html", report), (".json", evaluation.model_dump_json(indent=2))):
            written = place.with_suffix(suffix + ".new")
            written.write_text(content, encoding="utf-8")
            written.replace(place.with_suffix(suffix))
        return place.with_suffix(".json")

    def list(self, tenant: str, *, limit: int = 50, after: str | None = None) -> list[Evaluation]:
        """Return up to `limit` of the tenant's, the latest first, those behind `after`."""
        return list(islice(self._of(tenant, after), limit))

    def get(self, tenant: str, evaluation_id: str) -> Evaluation:
        """Return one. Raises `NotFound`, also for a file that holds no evaluation."""
        found = self._read(evaluation_id)
        if found is None or found.tenant != tenant:
            raise NotFound(f"no evaluation {evaluation_id}", param="evaluation_id")
        return found

    def report(self, tenant: str, evaluation_id: str) -> str:
        """Return its HTML. Raises `NotFound`."""
        self.get(tenant, evaluation_id)
        try:
            return self._place(evaluation_id).with_suffix(".html").read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotFound(f"{evaluation_id} has no report", param="evaluation_id") from None

    def _of(self, tenant: str, after: str | None) -> Iterator[Evaluation]:
        names = (path.stem for path in self.folder.glob("*.json") if _ID.fullmatch(path.stem))
        for name in sorted(names, key=_order, reverse=True):
            if after is None or _order(name) < _order(after):
                found = self._read(name)
                if found is not None and found.tenant == tenant:
                    yield found

    def _read(self, evaluation_id: str) -> Evaluation | None:
        try:
            found = Evaluation.model_validate_json(self._place(evaluation_id).with_suffix(".json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        return found if found.id == evaluation_id else None

    def _place(self, evaluation_id: str) -> Path:
        """The files' path without its suffix. No id that could lead out of the folder gets here."""
        if _ID.fullmatch(evaluation_id) is None:
            raise NotFound("no such evaluation", param="evaluation_id")
        return self.folder / evaluation_id


def _order(evaluation_id: str) -> tuple[str, str]:
    suite, _, moment = evaluation_id.rpartition("-")
    return moment, suite
