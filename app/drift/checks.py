"""The checks that were made: kept with what opened and what ended by them, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.drift.tables import DriftAlertRow, DriftCheckRow, DriftWatchRow
from core.database import Database, now
from core.errors import NotFound
from tabular.drift.results import About, Check, Finding, load_check

ID = r"^drf_[0-9a-f]{32}$"


class State(StrEnum):
    """What a check says: nothing moved, something did, or nothing can be said."""

    QUIET = "quiet"
    DRIFT = "drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Open:
    """A finding, and since when it stands. `judged` is False where this check could not look, and it stands still."""

    finding: Finding
    since: datetime
    judged: bool = True


@dataclass(frozen=True, slots=True)
class New:
    """A check to be kept: of which version of the model, over which window, of how many rows, and what was found."""

    tenant: str
    model: str
    version: int | None
    begin: datetime
    end: datetime
    rows: int
    matured: int
    check: Check


@dataclass(frozen=True, slots=True)
class Kept:
    """A check as it is kept."""

    id: str
    at: datetime
    of: New
    state: State
    findings: tuple[Open, ...]


class Checks:
    """Keeps checks, and the alerts that they give rise to, in one transaction."""

    def __init__(self, database: Database, *, alerting: bool) -> None:
        """`alerting` says whether anybody is there to be told."""
        self._database = database
        self._alerting = alerting

    async def claim(self, tenant: str, model: str, lease: timedelta) -> bool:
        """Whether the model is due and is the caller's to look at, until the lease ends. Anew, a model is due."""
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        moment = now()
        row = {"tenant": tenant, "model": model, "next_at": moment}
        due = update(DriftWatchRow).where(*_watch(tenant, model), DriftWatchRow.next_at <= moment)
        async with self._database.session() as session:
            await session.execute(insert(DriftWatchRow).values(row).on_conflict_do_nothing())
            taken = await session.execute(due.values(next_at=moment + lease).returning(DriftWatchRow.model))
            return taken.first() is not None

    async def record(self, new: New, following: datetime) -> Kept:
        """Keep a check. A finding that is new, or gone, becomes an alert; the model is looked at again at `following`.

        What this check could not judge stands as it stood; a new version of the model begins with nothing.
        """
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        row = {"tenant": new.tenant, "model": new.model, "next_at": following}
        made = insert(DriftWatchRow).values(row)
        async with self._database.session() as session:
            # Writing first takes the lock: two checks of one model are kept one after the other.
            await session.execute(
                made.on_conflict_do_update(index_elements=["tenant", "model"], set_={"next_at": following})
            )
            before = await _latest(session, new.tenant, new.model)
            moment = now()
            kept = _kept(new, moment, before)
            session.add(_row(kept))
            if self._alerting:
                session.add_all(_alerts(kept, before))
        return kept

    async def latest(self, tenant: str, model: str) -> Kept | None:
        """The model's last check."""
        async with self._database.session() as session:
            return await _latest(session, tenant, model)

    async def get(self, tenant: str, check_id: str) -> Kept:
        """One check. Raises `NotFound`."""
        async with self._database.session() as session:
            row = await session.get(DriftCheckRow, (tenant, check_id))
        if row is None:
            raise NotFound(f"There is no check {check_id}.", param="check_id")
        return _read(row)

    async def list(
        self, tenant: str, *, model: str | None = None, limit: int = 20, after: str | None = None
    ) -> list[Kept]:
        """The latest first; `after` is a check's id, and those before it are meant."""
        wanted = select(DriftCheckRow).where(DriftCheckRow.tenant == tenant)
        if model is not None:
            wanted = wanted.where(DriftCheckRow.model == model)
        if after is not None:
            wanted = wanted.where(DriftCheckRow.id < after)
        async with self._database.session() as session:
            rows = await session.scalars(wanted.order_by(DriftCheckRow.id.desc()).limit(limit))
            return [_read(each) for each in rows.all()]


async def _latest(session: AsyncSession, tenant: str, model: str) -> Kept | None:
    query = select(DriftCheckRow).where(DriftCheckRow.tenant == tenant, DriftCheckRow.model == model)
    row = await session.scalar(query.order_by(DriftCheckRow.id.desc()).limit(1))
    return None if row is None else _read(row)


def _watch(tenant: str, model: str) -> tuple[Any, ...]:
    return DriftWatchRow.tenant == tenant, DriftWatchRow.model == model


def standing(before: Kept | None, version: int | None) -> tuple[Open, ...]:
    """What stands open of a version of a model after the check before."""
    return before.findings if before is not None and before.of.version == version else ()


def _kept(new: New, moment: datetime, before: Kept | None) -> Kept:
    known = {each.finding.key: each for each in standing(before, new.version)}
    check = new.check
    opened = [
        Open(each, known[each.key].since if each.key in known else moment, judged=True) for each in check.findings
    ]
    unseen = set() if check.compared else {About.FEATURE, About.SEGMENT}
    unseen |= set() if check.achieved else {About.PERFORMANCE}
    opened += [Open(each.finding, each.since, judged=False) for each in known.values() if each.finding.about in unseen]
    state = State.DRIFT if opened else State.QUIET if check.compared or check.achieved else State.UNKNOWN
    return Kept(f"drf_{uuid7().hex}", moment, new, state, tuple(opened))


def _alerts(kept: Kept, before: Kept | None) -> list[DriftAlertRow]:
    """One for each finding that began, and for each that ended."""
    was = {each.finding.key: each for each in (before.findings if before is not None else ())}
    # Of another version than before, everything that stood has ended with it.
    same = before is not None and before.of.version == kept.of.version
    now_ = {each.finding.key: each for each in kept.findings}
    began = [each for key, each in now_.items() if key not in was or not same]
    ended = [each for key, each in was.items() if key not in now_ or not same]
    return [_alert(kept, "ended", each) for each in ended] + [_alert(kept, "started", each) for each in began]


def _alert(kept: Kept, event: str, opened: Open) -> DriftAlertRow:
    alert_id = f"alr_{uuid7().hex}"
    body = {
        "object": "drift.alert",
        "id": alert_id,
        "event": event,
        "model": kept.of.model,
        "version": kept.of.version,
        "check_id": kept.id,
        "at": kept.at,
        "since": opened.since,
        "finding": asdict(opened.finding),
    }
    data = orjson.dumps(body)
    return DriftAlertRow(
        tenant=kept.of.tenant, id=alert_id, check_id=kept.id, body=data, attempts=0, due_at=kept.at, delivered_at=None
    )


def _row(kept: Kept) -> DriftCheckRow:
    new = kept.of
    findings = [
        {"finding": asdict(each.finding), "since": each.since.isoformat(), "judged": each.judged}
        for each in kept.findings
    ]
    return DriftCheckRow(
        tenant=new.tenant,
        id=kept.id,
        model=new.model,
        version=new.version,
        at=kept.at,
        begin=new.begin,
        end=new.end,
        rows=new.rows,
        matured=new.matured,
        state=kept.state.value,
        findings=findings,
        details=new.check.dump(),
    )


def _read(row: DriftCheckRow) -> Kept:
    new = New(row.tenant, row.model, row.version, row.begin, row.end, row.rows, row.matured, load_check(row.details))
    return Kept(row.id, row.at, new, State(row.state), _findings(row.findings))


def _findings(stored: Sequence[dict[str, Any]]) -> tuple[Open, ...]:
    return tuple(
        Open(
            Finding(**{**each["finding"], "about": About(each["finding"]["about"])}),
            datetime.fromisoformat(each["since"]),
            each["judged"],
        )
        for each in stored
    )
