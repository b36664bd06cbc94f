"""Makes field reports, one after the other: reads the photos, hears the notes, composes.

A report is held by a lease. One whose process died is taken up again when the lease runs out, or at once when the only
process of a workspace starts again; one that ended its process three times is given up.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.exc import DBAPIError

from app import logs
from app.field_reports.folder import Kind, Medium
from app.field_reports.reports import FieldReport, FieldReports, as_json, as_report
from app.field_reports.tables import FieldReportRow, ReportStatus
from app.runs.finishing import finished
from app.runs.log import wait
from core.database import Database, now
from core.errors import WaysideError
from multimodal.inspection.compose import compose
from multimodal.inspection.evidence import Evidence, Photo, TypedNote, VoiceNote
from multimodal.inspection.report import Report

MOST_ATTEMPTS = 3
LEASE = 30.0
_POLL = 5.0
_GONE = "A photo or note of it is no longer in the workspace."
_GIVEN_UP = f"It was begun {MOST_ATTEMPTS} times, and each time the server ended or failed on it."


class Maker:
    """One worker. `sole` says that no other process works on this database. `lease` is in seconds."""

    def __init__(self, database: Database, reports: FieldReports, *, sole: bool, lease: float = LEASE) -> None:
        self._database = database
        self._reports = reports
        self._sole = sole
        self._lease = lease
        self._worker = secrets.token_hex(8)

    async def run(self) -> None:
        """Work for ever. A database that is away is reported and waited for."""
        recovered = not self._sole
        while True:
            self._reports.arrived.clear()
            try:
                if not recovered:
                    await self._recover()
                    recovered = True
                while (claimed := await finished(self._claim())) is not None:
                    await self._make(claimed)
            except (DBAPIError, OSError) as problem:
                logs.logger.warning("field reports not made", **logs.describe(problem))
            await wait(self._reports.arrived, _POLL)

    async def _recover(self) -> None:
        """What is being worked on when the only process starts belongs to one that died."""
        async with self._database.session() as session:
            left = update(FieldReportRow).where(FieldReportRow.status == ReportStatus.WORKING.value)
            await session.execute(left.values(status=ReportStatus.QUEUED.value, worker=None, leased_until=None))

    async def _claim(self) -> FieldReport | None:
        """Take the oldest free report whose media are here, by compare-and-set."""
        async with self._database.session() as session:
            free = await session.scalars(select(FieldReportRow).where(_free()).order_by(FieldReportRow.created_at))
            for row in list(free):
                if not await asyncio.to_thread(self._reports.folder.holds, row.id):
                    continue
                taking = {
                    "status": ReportStatus.WORKING.value,
                    "worker": self._worker,
                    "leased_until": self._until(),
                    "attempts": row.attempts + 1,
                    "done": 0,
                }
                ours = update(FieldReportRow).where(_one(row), FieldReportRow.attempts == row.attempts, _free())
                taken = await session.execute(ours.values(taking).returning(FieldReportRow.id))
                if taken.first() is not None:
                    return as_report(row)
        return None

    async def _make(self, claimed: FieldReport) -> None:
        renewing = asyncio.create_task(self._renew(claimed))
        try:
            if await self._attempts(claimed) > MOST_ATTEMPTS:
                await self._end(claimed, error=_GIVEN_UP)
                return
            report = await self._composed(claimed)
            await self._end(claimed, report=report)
        except asyncio.CancelledError:
            # An orderly end of the server: whoever starts next goes on, and this time does not count.
            await self._put_back(claimed, counted=False)
            raise
        except WaysideError as problem:
            await self._end(claimed, error=problem.message)
        except FileNotFoundError:
            await self._end(claimed, error=_GONE)
        except Exception as problem:
            # The end of this attempt and not of the worker.
            logs.logger.error("field report failed", report_id=claimed.id, **logs.describe(problem))
            await self._put_back(claimed, counted=True)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _composed(self, claimed: FieldReport) -> Report:
        evidence: list[Evidence] = []
        for done, medium in enumerate(claimed.media, start=1):
            evidence.append(await self._understood(claimed.id, medium))
            await self._set(claimed, done=done)
        if claimed.text.strip():
            evidence.append(TypedNote(1, claimed.text))
        return await asyncio.to_thread(compose, evidence, claimed.heading)

    async def _understood(self, report_id: str, medium: Medium) -> Evidence:
        senses, folder = self._reports.senses, self._reports.folder
        if medium.kind is Kind.PHOTO:
            picture = await asyncio.to_thread(folder.photo, report_id, medium)
            return Photo(medium.number, await senses.reader.read(picture), captured=medium.captured_at)
        audio = await asyncio.to_thread(folder.note, report_id, medium)
        heard = await senses.transcriber.transcribe(audio, words=True)
        return VoiceNote(medium.number, heard, medium.captured_at)

    async def _renew(self, claimed: FieldReport) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            await self._set(claimed, leased_until=self._until())

    async def _attempts(self, claimed: FieldReport) -> int:
        query = select(FieldReportRow.attempts).where(_one(claimed))
        async with self._database.session() as session:
            return int(await session.scalar(query) or 0)

    async def _end(self, claimed: FieldReport, *, report: Report | None = None, error: str | None = None) -> None:
        status = ReportStatus.READY if report is not None else ReportStatus.FAILED
        told = {"report": None if report is None else as_json(report), "error": error}
        await self._set(claimed, status=status.value, **told, worker=None, leased_until=None)

    async def _put_back(self, claimed: FieldReport, *, counted: bool) -> None:
        attempts = FieldReportRow.attempts if counted else FieldReportRow.attempts - 1
        queued = ReportStatus.QUEUED.value
        await self._set(claimed, status=queued, attempts=attempts, worker=None, leased_until=None)

    async def _set(self, claimed: FieldReport, **values: Any) -> None:
        """Change the row while it is ours; one that was removed or taken over meanwhile is left alone."""

        async def change() -> None:
            held = update(FieldReportRow).where(_one(claimed), FieldReportRow.worker == self._worker)
            async with self._database.session() as session:
                await session.execute(held.values(**values, updated_at=now()))

        await finished(change())

    def _until(self) -> datetime:
        return now() + timedelta(seconds=self._lease)


def _one(which: FieldReport | FieldReportRow) -> ColumnElement[bool]:
    return and_(FieldReportRow.tenant == which.tenant, FieldReportRow.id == which.id)


def _free() -> ColumnElement[bool]:
    abandoned = and_(FieldReportRow.status == ReportStatus.WORKING.value, FieldReportRow.leased_until < now())
    return or_(FieldReportRow.status == ReportStatus.QUEUED.value, abandoned)
