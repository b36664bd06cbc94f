"""`wayside tabular train segments` and `anomalies`: promoted, served, and trained again, by hand and on schedule."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from agents.systems.builtin.orders import BuiltinOrders
from app.anomalies.served import ServedAnomalies
from app.champions import keep, take_up
from app.demo.tables import subscribers, write_table
from app.retraining import Retraining
from app.segments.served import ServedSegments
from app.workspace import TENANT
from core.database import Database
from core.errors import Conflict
from core.orders import OrderFilter, OrderStatus, Refund
from core.registry import Registry
from core.settings import Settings, TabularSettings
from tests.integration.test_tabular_command import tabular

CUSTOMER = "CUS-00018"


@pytest.fixture
def workspace(demo_workspace: Path, tmp_path: Path) -> Path:
    return shutil.copytree(demo_workspace, tmp_path / "workspace")


@pytest.fixture
async def database(workspace: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite+aiosqlite:///{workspace / 'wayside.db'}")
    yield made
    await made.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_segments_are_found_in_the_orders_and_a_running_gateway_takes_them_up(
    workspace: Path, database: Database
) -> None:
    orders, registry = BuiltinOrders(database), Registry.of(database, workspace)
    served = ServedSegments(registry, orders, tenant=TENANT)
    await take_up(served)
    with pytest.raises(Conflict):
        served.current(TENANT)
    looking = asyncio.create_task(keep([served], 0.01))
    code, said = await tabular(workspace, "train", "segments", "--promote")
    assert code == 0, said
    assert "purchases of 450 customers" in said
    assert "registered as segments 1" in said

    def version() -> int | None:
        try:
            return served.current(TENANT)[0]
        except Conflict:
            return None

    await until(lambda: version() == 1)
    _, dated = served.current(TENANT)
    assert sum(each.customers for each in dated.segments.each) == 450
    assert sum(each.share for each in dated.segments.each) == pytest.approx(1)
    assert len({each.words for each in dated.segments.each}) == len(dated.segments.each) >= 3
    number, placed = await served.of(TENANT, CUSTOMER)
    assert number == 1
    own = [
        each
        for each in await orders.orders(TENANT, OrderFilter(customer_id=CUSTOMER))
        if each.status is not OrderStatus.CANCELLED
    ]
    assert (placed.purchases, placed.words) == (len(own), dated.segments.each[placed.number - 1].words)

    # Nothing has changed, and so it is the same version.
    code, said = await tabular(workspace, "train", "segments")
    assert "registered as segments 1" in said
    returned = max(own, key=lambda each: each.refundable)
    back = Refund(returned.id, Decimal("5.00"), "a scratch")
    await orders.act(TENANT, "a" * 32, back)
    code, said = await tabular(workspace, "train", "segments", "--promote")
    assert (code, "registered as segments 2" in said) == (0, True), said
    await until(lambda: version() == 2)
    _, later = await served.of(TENANT, CUSTOMER)
    assert placed.spending - later.spending == Decimal("5.00")
    assert "segments of customers" in (await registry.version("segments", 2)).card.lower()
    looking.cancel()
    await asyncio.wait({looking})


async def test_segments_are_trained_on_schedule_without_anybody(workspace: Path, database: Database) -> None:
    registry = Registry.of(database, workspace)
    schedule = TabularSettings(retrain={"segments": timedelta(days=1)}, promote=True)
    said: list[tuple[str, str]] = []
    settings = Settings(workspace=workspace, tabular=schedule)
    supervisor = Retraining(database, registry, settings, lambda *told: said.append(told), tenant=TENANT)
    await supervisor.sweep()
    assert said == [("segments", "promoted")]
    assert (await registry.standing("segments")).champion == 1


async def test_unusual_rows_are_learned_from_a_file_and_served(
    workspace: Path, database: Database, tmp_path: Path
) -> None:
    rows = subscribers(1500)
    rows[3]["MonthlyCharges"] = "much"
    file = write_table(rows, tmp_path / "subscribers.csv")
    train = ("train", "anomalies", "--data", str(file))
    code, said = await tabular(workspace, *train, "--promote", "--expected", "0.02")
    assert code == 0, said
    assert "1 rows were set aside" in said
    assert "left out: Contract is text, such as" in said
    assert "test/pushed-out-auc: 0." in said
    rejected = (tmp_path / "subscribers.rejected.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in rejected[1:]] == [["5", "MonthlyCharges", "is no number"]]
    served = ServedAnomalies(Registry.of(database, workspace), tenant=TENANT)
    await take_up(served)
    common = {"SeniorCitizen": 0.0, "tenure": 20.0, "MonthlyCharges": 70.0, "TotalCharges": None}
    version, threshold, judged = await served.score(TENANT, [common, {**common, "MonthlyCharges": 700.0}])
    assert (version, [each.unusual for each in judged]) == (1, [False, True])
    assert judged[1].oddities[0].column == "MonthlyCharges"
    # With a larger share expected, the threshold is lower.
    code, said = await tabular(workspace, *train, "--promote", "--expected", "0.1")
    assert (code, "registered as anomalies 2" in said) == (0, True), said
    await take_up(served)
    version, lower, _ = await served.score(TENANT, [common])
    assert (version, lower < threshold) == (2, True)


async def test_what_does_not_go_together_is_said(workspace: Path, tmp_path: Path) -> None:
    file = write_table(subscribers(200), tmp_path / "subscribers.csv")
    data = ("--data", str(file))
    assert "segments is learned from the workspace" in (await tabular(workspace, "train", "segments", *data))[1]
    assert "name it with --data" in (await tabular(workspace, "train", "anomalies"))[1]
    code, said = await tabular(workspace, "train", "anomalies", *data, "--expected", "0.7")
    assert (code, "a share of 0.7 is not unusual" in said) == (1, True)


async def test_a_company_without_orders_has_no_segments(tmp_path: Path) -> None:
    code, said = await tabular(tmp_path / "empty", "train", "segments")
    assert (code, "there are no purchases" in said) == (1, True)
