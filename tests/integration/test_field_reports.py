"""Reports and the processes that make them: what one leaves behind another takes up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from app.field_reports.making import MOST_ATTEMPTS, Maker
from app.field_reports.reports import FieldReport, FieldReports, Upload
from app.field_reports.tables import FieldReportRow, ReportStatus
from core.database import Database, now
from core.settings import MediaSettings
from core.types import Principal, Role
from multimodal.inspection.compose import Heading
from tests.fakes.field_senses import FieldSenses
from tests.unit.app.api.test_field_reports import WIDE, photo

STAFF = Principal("key_1", "harbor", Role.STAFF)


@asynccontextmanager
async def at_work(maker: Maker) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(maker.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.fixture
def senses() -> FieldSenses:
    made = FieldSenses()
    made.reader.lines = {WIDE: ["ALARM E04"]}
    return made


@pytest.fixture
def reports(database: Database, tmp_path: Path, senses: FieldSenses) -> FieldReports:
    return FieldReports(database, tmp_path, senses.senses(MediaSettings()))


async def sent(reports: FieldReports) -> FieldReport:
    taken = datetime(2026, 3, 2, tzinfo=UTC)
    return await reports.add(STAFF, [Upload(photo()[1], taken)], [], "The door is bent.", Heading())


async def ended(reports: FieldReports, report_id: str) -> FieldReport:
    while (found := await reports.get(STAFF, report_id)).status in (ReportStatus.QUEUED, ReportStatus.WORKING):
        await asyncio.sleep(0.01)
    return found


async def abandoned(database: Database, report_id: str, *, attempts: int) -> None:
    """As a process leaves it that is killed at work."""
    left = {"status": "working", "worker": "dead", "leased_until": now(), "attempts": attempts}
    async with database.session() as session:
        await session.execute(update(FieldReportRow).where(FieldReportRow.id == report_id).values(left))


@pytest.mark.parametrize("sole", [True, False])
async def test_a_report_whose_process_died_is_taken_up_again(
    database: Database, reports: FieldReports, sole: bool
) -> None:
    report_id = (await sent(reports)).id
    await abandoned(database, report_id, attempts=1)
    async with at_work(Maker(database, reports, sole=sole)):
        found = await ended(reports, report_id)
    assert found.report is not None
    assert [each.evidence.quote for each in found.report.findings] == ["ALARM E04", "The door is bent."]


async def test_a_report_that_ends_its_process_again_and_again_is_given_up(
    database: Database, reports: FieldReports, senses: FieldSenses
) -> None:
    report_id = (await sent(reports)).id
    await abandoned(database, report_id, attempts=MOST_ATTEMPTS)
    async with at_work(Maker(database, reports, sole=True)):
        found = await ended(reports, report_id)
    assert (found.status, senses.reader.reads) == (ReportStatus.FAILED, 0)
    assert "3 times" in (found.error or "")


async def test_an_orderly_end_puts_a_report_back_and_does_not_count(
    database: Database, reports: FieldReports, senses: FieldSenses
) -> None:
    senses.reader.gate.clear()
    report_id = (await sent(reports)).id
    for reads in range(1, MOST_ATTEMPTS + 3):
        async with at_work(Maker(database, reports, sole=False)):
            while senses.reader.reads < reads:
                await asyncio.sleep(0.01)
        assert (await reports.get(STAFF, report_id)).status is ReportStatus.QUEUED
    senses.reader.gate.set()
    async with at_work(Maker(database, reports, sole=False)):
        assert (await ended(reports, report_id)).status is ReportStatus.READY


async def test_a_lease_is_renewed_while_a_report_is_made(
    database: Database, reports: FieldReports, senses: FieldSenses
) -> None:
    senses.reader.gate.clear()
    report_id = (await sent(reports)).id
    makers = [Maker(database, reports, sole=False, lease=0.3) for _ in range(2)]
    async with at_work(makers[0]):
        while not senses.reader.reads:
            await asyncio.sleep(0.01)
        async with at_work(makers[1]):
            await asyncio.sleep(1)
            assert senses.reader.reads == 1
            senses.reader.gate.set()
            assert (await ended(reports, report_id)).status is ReportStatus.READY
    assert senses.reader.reads == 1


async def test_reports_of_another_workspace_are_left_alone(
    database: Database, reports: FieldReports, senses: FieldSenses, tmp_path: Path
) -> None:
    report_id = (await sent(reports)).id
    elsewhere = FieldReports(database, tmp_path / "elsewhere", senses.senses(MediaSettings()))
    async with at_work(Maker(database, elsewhere, sole=False)):
        await asyncio.sleep(0.2)
    assert (await reports.get(STAFF, report_id)).status is ReportStatus.QUEUED


async def test_a_photo_that_is_gone_fails_the_report(database: Database, reports: FieldReports, tmp_path: Path) -> None:
    report_id = (await sent(reports)).id
    (tmp_path / "field-reports" / report_id / "photo-1.png").unlink()
    async with at_work(Maker(database, reports, sole=True)):
        found = await ended(reports, report_id)
    assert (found.status, found.error) == (
        ReportStatus.FAILED,
        "A photo or note of it is no longer in the workspace.",
    )
