"""/api/field-reports: photos and voice notes of an inspection become a report. Clients see their own, staff all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from pydantic import AwareDatetime, BaseModel
from starlette.responses import FileResponse, Response

from app.api.json import Json, listing
from app.auth import Anyone
from app.errors import responses
from app.field_reports.folder import Kind
from app.field_reports.reports import FieldReport, FieldReports, Upload, as_json, medium_view
from app.field_reports.tables import ReportStatus
from core.errors import InvalidInput
from multimodal.inspection.compose import Heading
from multimodal.inspection.report import Report

_LINE = r"^[^\x00-\x1f\x7f]*$"
_ID = r"^fr_[0-9a-f]{24}$"
ReportId = Annotated[str, Path(pattern=_ID)]
Number = Annotated[int, Path(ge=1, le=100)]
_Line = Form(min_length=1, max_length=200, pattern=_LINE)
_PRIVATE = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}


class PhotoView(BaseModel):
    """A photo as it was admitted; sizes in pixels. Its bytes are at `photos/{number}`."""

    number: int
    captured_at: datetime | None
    width: int
    height: int


class NoteView(BaseModel):
    """A voice note as it was admitted. Its sound is at `notes/{number}`."""

    number: int
    captured_at: datetime | None
    seconds: float


class FieldReportView(BaseModel):
    """A field report and how far it is.

    `status` goes from `queued` over `working` to `ready`, and `report` is there, or to `failed`, and `error` says why.
    `progress` is the share of its photos and notes that are read and heard, from 0 to 1.
    """

    object: str = "field_report"
    id: str
    owner: str
    status: ReportStatus
    progress: float
    error: str | None
    site: str | None
    date: str | None
    inspector: str | None
    photos: list[PhotoView]
    notes: list[NoteView]
    created_at: datetime
    updated_at: datetime


class WholeFieldReport(FieldReportView):
    """A field report with what was typed and, when it is ready, the report itself."""

    text: str
    report: Report | None


class FieldReportList(BaseModel):
    """One page of reports, the latest first; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[FieldReportView]
    has_more: bool


def routes(reports: FieldReports) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/field-reports", tags=["field reports"])

    @router.post("", status_code=202, response_model=WholeFieldReport, responses=responses(415, 501))
    async def create_field_report(
        caller: Anyone,
        photos: Annotated[list[UploadFile] | None, File(description="pictures, in any order")] = None,
        notes: Annotated[list[UploadFile] | None, File(description="recordings of speech")] = None,
        text: Annotated[str, Form(max_length=20_000, description="what the inspector typed")] = "",
        site: Annotated[str | None, _Line] = None,
        date: Annotated[str | None, _Line] = None,
        inspector: Annotated[str | None, _Line] = None,
        photo_times: Annotated[
            list[AwareDatetime] | None, Form(description="when each photo was taken, one for each or none")
        ] = None,
        note_times: Annotated[
            list[AwareDatetime] | None, Form(description="when each note was begun, one for each or none")
        ] = None,
    ) -> Response:
        """Send in what an inspection brought; the report is made in the background.

        A photo and the note spoken about it are told to belong together by what they share and, where all of them have
        their times, by their order.
        """
        made = await reports.add(
            caller,
            await _uploads(photos or (), photo_times or (), "photo_times"),
            await _uploads(notes or (), note_times or (), "note_times"),
            text,
            Heading(site, date, inspector),
        )
        return Json(_whole(made), 202)

    @router.get("", response_model=FieldReportList, responses=responses(404))
    async def list_field_reports(
        caller: Anyone,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(pattern=_ID)] = None,
    ) -> Response:
        """List the reports that the caller may see."""
        found = await reports.page(caller, limit + 1, after)
        return listing([_view(each) for each in found[:limit]], has_more=len(found) > limit)

    # These stand before the report's own address, which would take `.md` for a part of an id.
    @router.get("/{report_id}.md", response_class=Response, responses=responses(404, 409) | _given("text/markdown"))
    async def field_report_markdown(report_id: ReportId, caller: Anyone) -> Response:
        """Give the report as Markdown."""
        text = await reports.markdown(caller, report_id)
        return _download(text.encode(), "text/markdown; charset=utf-8", f"{report_id}.md")

    @router.get(
        "/{report_id}.pdf", response_class=Response, responses=responses(404, 409, 501) | _given("application/pdf")
    )
    async def field_report_pdf(report_id: ReportId, caller: Anyone) -> Response:
        """Give the report as a PDF with its photos."""
        return _download(await reports.pdf(caller, report_id), "application/pdf", f"{report_id}.pdf")

    @router.get("/{report_id}", response_model=WholeFieldReport, responses=responses(404))
    async def get_field_report(report_id: ReportId, caller: Anyone) -> Response:
        """Show a report, and how far it is."""
        return Json(_whole(await reports.get(caller, report_id)))

    @router.get(
        "/{report_id}/photos/{number}",
        response_class=Response,
        responses=responses(404) | _given("image/png", "image/jpeg"),
    )
    async def field_report_photo(report_id: ReportId, number: Number, caller: Anyone) -> Response:
        """Give a photo as it was admitted."""
        path, medium = await reports.path(caller, report_id, Kind.PHOTO, number)
        return FileResponse(path, media_type=medium.media_type, headers=_PRIVATE)

    @router.get("/{report_id}/notes/{number}", response_class=Response, responses=responses(404) | _given("audio/wav"))
    async def field_report_note(report_id: ReportId, number: Number, caller: Anyone) -> Response:
        """Give a voice note as it was admitted; ranges of bytes can be asked for."""
        path, medium = await reports.path(caller, report_id, Kind.NOTE, number)
        return FileResponse(path, media_type=medium.media_type, headers=_PRIVATE)

    @router.delete("/{report_id}", status_code=204, responses=responses(404))
    async def delete_field_report(report_id: ReportId, caller: Anyone) -> Response:
        """Delete the report with its photos and notes."""
        await reports.delete(caller, report_id)
        return Response(status_code=204)

    return router


async def _uploads(files: Sequence[UploadFile], times: Sequence[datetime], param: str) -> list[Upload]:
    if times and len(times) != len(files):
        raise InvalidInput(
            f"There are {len(files)} files and {len(times)} times: give one for each, or none.", param=param
        )
    # Whole, since the body's limit holds for all of them together.
    return [Upload(await file.read(), times[position] if times else None) for position, file in enumerate(files)]


def _given(*media_types: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of a file of one of these types."""
    content = {each: {"schema": {"type": "string", "format": "binary"}} for each in media_types}
    return {200: {"content": content}}


def _download(content: bytes, media_type: str, name: str) -> Response:
    headers = {**_PRIVATE, "content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _view(report: FieldReport) -> dict[str, object]:
    ended = report.status is ReportStatus.READY
    return {
        "object": "field_report",
        "id": report.id,
        "owner": report.owner,
        "status": report.status,
        "progress": 1.0 if ended else report.done / report.total if report.total else 0.0,
        "error": report.error,
        "site": report.heading.site,
        "date": report.heading.date,
        "inspector": report.heading.inspector,
        "photos": [medium_view(each) for each in report.media if each.kind is Kind.PHOTO],
        "notes": [medium_view(each) for each in report.media if each.kind is Kind.NOTE],
        "created_at": report.created_at,
        "updated_at": report.updated_at,
    }


def _whole(report: FieldReport) -> dict[str, object]:
    return {
        **_view(report),
        "text": report.text,
        "report": None if report.report is None else as_json(report.report),
    }
