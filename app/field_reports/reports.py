"""Field reports as their owners see them: sent in, listed, read, removed. `making.py` makes them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, delete, or_, select

from app.field_reports.folder import Kind, MediaFolder, Medium
from app.field_reports.tables import FieldReportRow, ReportStatus
from app.senses import Senses, report_printer
from core.database import Database, now
from core.errors import Conflict, InvalidInput, NotFound, TooLarge
from core.types import Principal, Role
from multimodal.inspection.compose import Heading
from multimodal.inspection.markdown import markdown
from multimodal.inspection.report import Report

MOST_PHOTOS, MOST_NOTES = 12, 12
MOST_SECONDS = 1800.0
"""Of all of a report's notes together."""
_REPORT = TypeAdapter(Report)
_MEDIA = TypeAdapter(list[Medium])


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, and when it was taken or spoken, if that is known."""

    content: bytes
    captured: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldReport:
    """A report and how far it is; `report` is there when it is ready, `error` when it failed."""

    tenant: str
    id: str
    owner: str
    status: ReportStatus
    heading: Heading
    text: str
    media: tuple[Medium, ...]
    done: int
    total: int
    report: Report | None
    error: str | None
    created_at: datetime
    updated_at: datetime

    def medium(self, kind: Kind, number: int) -> Medium:
        """The photo or note of that number. Raises `NotFound`."""
        found = next((each for each in self.media if (each.kind, each.number) == (kind, number)), None)
        if found is None:
            raise NotFound(f"{self.id} has no {kind.value} {number}", param="number")
        return found

    @property
    def ready(self) -> Report:
        """The report. Raises `Conflict` while there is none."""
        if self.report is None:
            raise Conflict(f"{self.id} is {self.status.value}: there is no report yet.", code="report_not_ready")
        return self.report


class FieldReports:
    """Everybody's reports: staff see all of their tenant's, a client sees its own."""

    def __init__(self, database: Database, workspace: Path, senses: Senses) -> None:
        self._database = database
        self.senses = senses
        self.folder = MediaFolder(workspace / "field-reports")
        self.arrived = asyncio.Event()
        # One at a time: photos are decoded for it.
        self._printing = asyncio.Lock()

    async def add(
        self, by: Principal, photos: Sequence[Upload], notes: Sequence[Upload], text: str, heading: Heading
    ) -> FieldReport:
        """Admit the media and queue the report.

        Raises `InvalidInput` when there is nothing to report on, `MissingExtra` when nobody can read or hear it, and
        what the media gate raises, with `photos.0` or `notes.0` as its `param`.
        """
        if not (photos or notes or text.strip()):
            raise InvalidInput("Send at least a photo, a note or text.", param="photos")
        for files, most, name in ((photos, MOST_PHOTOS, "photos"), (notes, MOST_NOTES, "notes")):
            if len(files) > most:
                raise TooLarge(f"A report has at most {most} {name}.", param=name)
        # Asked for now, so that whoever sends learns at once what is not installed.
        _ = photos and self.senses.reader, notes and self.senses.transcriber
        report_id = "fr_" + secrets.token_hex(12)
        moment = now()
        with ExitStack() as undoing:
            await asyncio.to_thread(self.folder.begin, report_id)
            undoing.callback(self.folder.delete, report_id)
            media = await self._admit(report_id, photos, notes)
            row = FieldReportRow(
                tenant=by.tenant,
                id=report_id,
                owner=by.owner,
                status=ReportStatus.QUEUED.value,
                site=heading.site,
                date=heading.date,
                inspector=heading.inspector,
                text=text,
                media=_MEDIA.dump_python(media, mode="json"),
                done=0,
                total=len(media),
                attempts=0,
                created_at=moment,
                updated_at=moment,
            )
            async with self._database.session() as session:
                session.add(row)
            undoing.pop_all()
        self.arrived.set()
        return as_report(row)

    async def page(self, by: Principal, limit: int, after: str | None = None) -> list[FieldReport]:
        """Up to `limit` of those that the caller may see, the latest first, behind the one of id `after`."""
        query = select(FieldReportRow).where(_visible(by))
        if after is not None:
            last = await self.get(by, after)
            earlier = FieldReportRow.created_at < last.created_at
            beside = and_(FieldReportRow.created_at == last.created_at, FieldReportRow.id < last.id)
            query = query.where(or_(earlier, beside))
        query = query.order_by(FieldReportRow.created_at.desc(), FieldReportRow.id.desc()).limit(limit)
        async with self._database.session() as session:
            return [as_report(row) for row in await session.scalars(query)]

    async def get(self, by: Principal, report_id: str) -> FieldReport:
        """One report. Raises `NotFound`, also for another's."""
        async with self._database.session() as session:
            row = await session.scalar(select(FieldReportRow).where(_visible(by), FieldReportRow.id == report_id))
        if row is None:
            raise NotFound(f"no field report {report_id}", param="report_id")
        return as_report(row)

    async def delete(self, by: Principal, report_id: str) -> None:
        """Remove the report with its media. Raises `NotFound`."""
        await self.get(by, report_id)
        async with self._database.session() as session:
            await session.execute(delete(FieldReportRow).where(_visible(by), FieldReportRow.id == report_id))
        await asyncio.to_thread(self.folder.delete, report_id)

    async def path(self, by: Principal, report_id: str, kind: Kind, number: int) -> tuple[Path, Medium]:
        """The file of a photo or note. Raises `NotFound`, also where its file is in another workspace."""
        medium = (await self.get(by, report_id)).medium(kind, number)
        path = self.folder.path(report_id, medium)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound(f"{report_id} has no {kind.value} {number} here", param="number")
        return path, medium

    async def markdown(self, by: Principal, report_id: str) -> str:
        """The report as Markdown; its links are relative to the address of the list."""
        return markdown((await self.get(by, report_id)).ready, report_id)

    async def pdf(self, by: Principal, report_id: str) -> bytes:
        """The report as a PDF. Raises `MissingExtra`, `Conflict` while it is not ready, `NotFound`."""
        found = await self.get(by, report_id)
        report = found.ready
        render = report_printer()
        photos = sorted((each for each in found.media if each.kind is Kind.PHOTO), key=lambda each: each.number)

        def printed() -> bytes:
            return render(report, [self.folder.photo(report_id, each) for each in photos], found.created_at)

        async with self._printing:
            return await asyncio.to_thread(printed)

    async def _admit(self, report_id: str, photos: Sequence[Upload], notes: Sequence[Upload]) -> list[Medium]:
        """Let the media through the gate, one by one so that one decoded file is held at a time."""
        media = []
        for number, upload in enumerate(photos, start=1):
            picture = await self.senses.gate.picture(upload.content, f"photos.{number - 1}")
            put = self.folder.put_photo
            media.append(await asyncio.to_thread(put, report_id, number, picture, upload.captured))
        seconds = 0.0
        for number, upload in enumerate(notes, start=1):
            audio = await self.senses.gate.audio(upload.content, f"notes.{number - 1}")
            seconds += audio.seconds
            if seconds > MOST_SECONDS:
                raise TooLarge(f"The notes of a report last at most {MOST_SECONDS:g} seconds together.", param="notes")
            media.append(await asyncio.to_thread(self.folder.put_note, report_id, number, audio, upload.captured))
        times = [each.captured_at for each in media]
        # Without everybody's time the order is not known, and nothing is concluded from it.
        if all(time is not None for time in times):
            media.sort(key=lambda each: (each.captured_at is None, each.captured_at))
        return media


def as_report(row: FieldReportRow) -> FieldReport:
    """The report that the row holds."""
    return FieldReport(
        tenant=row.tenant,
        id=row.id,
        owner=row.owner,
        status=ReportStatus(row.status),
        heading=Heading(row.site, row.date, row.inspector),
        text=row.text,
        media=tuple(_MEDIA.validate_python(row.media)),
        done=row.done,
        total=row.total,
        report=None if row.report is None else _REPORT.validate_python(row.report),
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def as_json(report: Report) -> dict[str, object]:
    """The report in plain values; decimals are strings."""
    return dict(_REPORT.dump_python(report, mode="json"))


def medium_view(medium: Medium) -> dict[str, object]:
    """A medium in plain values, with what its kind has."""
    sizes = ("width", "height") if medium.kind is Kind.PHOTO else ("seconds",)
    return {name: value for name, value in asdict(medium).items() if name in ("number", "captured_at", *sizes)}


def _visible(by: Principal) -> ColumnElement[bool]:
    mine = FieldReportRow.tenant == by.tenant
    return and_(mine, FieldReportRow.owner == by.owner) if by.role is Role.CLIENT else mine
