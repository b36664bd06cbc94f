import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.runs.crons import CronRow, next_time
from core.database import now
from core.errors import InvalidInput
from tests.fakes.gateway import TENANT, Gateway
from tests.fakes.graphs import STEPS

RUN: dict[str, Any] = {"assistant_id": STEPS, "input": {"act": "rang"}}


async def make(served: Gateway, path: str = "/runs/crons", role: str = "admin", **body: Any) -> dict[str, Any]:
    answer = await served.call("POST", path, role=role, json={**RUN, "schedule": "*/5 * * * *", **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def bring_due(served: Gateway) -> None:
    async with served.parts.database.session() as session:
        await session.execute(update(CronRow).values(next_run=now() - timedelta(minutes=1)))


async def acted(served: Gateway, times: int) -> None:
    async with asyncio.timeout(30):
        while len(served.parts.acts) < times:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "expected"),
    [
        ("0 9 * * *", None, "2026-01-01T08:00", "2026-01-01T09:00"),
        ("0 9 * * *", "Europe/Berlin", "2026-01-01T08:30", "2026-01-02T08:00"),
        ("30 2 29 2 *", None, "2026-01-01T00:00", "2028-02-29T02:30"),
    ],
)
def test_the_next_time(schedule: str, zone: str | None, after: str, expected: str) -> None:
    found = next_time(schedule, zone, datetime.fromisoformat(after).replace(tzinfo=UTC), None)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_no_time_after_the_end_and_none_that_cannot_be_read() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert next_time("0 9 * * *", None, moment, moment + timedelta(hours=1)) is None
    for schedule, zone in (("every day", None), ("0 9 * * *", "Mars/Olympus")):
        with pytest.raises(InvalidInput):
            next_time(schedule, zone, moment, None)


async def test_a_due_cron_runs_once_and_is_moved_on(served: Gateway) -> None:
    kept = await make(served, on_run_completed="keep", metadata={"job": "bell"})
    await bring_due(served)
    await asyncio.gather(*(served.parts.runs.crons.fire() for _ in range(5)))
    await acted(served, 1)
    (found,) = (await served.call("POST", "/runs/crons/search", json={})).json()
    assert datetime.fromisoformat(found["next_run_date"]) > now()
    (thread,) = (await served.call("POST", "/threads/search", json={})).json()
    (run,) = (await served.call("GET", f"/threads/{thread['thread_id']}/runs")).json()
    assert run["metadata"] == {"assistant_id": STEPS, "graph_id": STEPS, "job": "bell", "cron_id": kept["cron_id"]}
    assert served.parts.acts == ["rang"]


async def test_a_cron_on_a_thread_runs_there_and_stops_when_disabled(served: Gateway) -> None:
    thread = (await served.call("POST", "/threads", json={})).json()["thread_id"]
    cron = await make(served, f"/threads/{thread}/runs/crons")
    await bring_due(served)
    await acted(served, 1)
    path = f"/runs/crons/{cron['cron_id']}"
    wrong = await served.call("PATCH", path, json={"on_run_completed": "delete"})
    assert wrong.status_code == 400
    off = (await served.call("PATCH", path, json={"enabled": False, "schedule": "0 0 * * *"})).json()
    assert (off["enabled"], off["next_run_date"], off["schedule"]) == (False, None, "0 0 * * *")
    await bring_due(served)
    await served.parts.runs.crons.fire()
    await asyncio.sleep(0.2)
    assert len((await served.call("GET", f"/threads/{thread}/runs")).json()) == 1
    assert (await served.call("DELETE", path)).status_code == 204
    assert (await served.call("POST", "/runs/crons/count", json={})).json() == 0


async def test_a_revoked_key_asks_for_nothing_any_more(served: Gateway) -> None:
    await make(served, role="client")
    keys = await served.parts.identity.list(TENANT)
    await served.parts.identity.revoke(TENANT, next(key.id for key in keys if key.role == "client"))
    await bring_due(served)
    await served.parts.runs.crons.fire()
    await asyncio.sleep(0.2)
    assert served.parts.acts == []
    async with served.parts.database.session() as session:
        rows = await session.execute(CronRow.__table__.select())
        assert [row.enabled for row in rows] == [False]


async def test_crons_are_found(served: Gateway) -> None:
    for number in range(3):
        await make(served, metadata={"n": number}, enabled=number != 1, schedule=f"{number} 0 1 1 *")

    async def search(**body: Any) -> list[int]:
        return [each["metadata"]["n"] for each in (await served.call("POST", "/runs/crons/search", json=body)).json()]

    assert await search() == [2, 1, 0]
    assert await search(sort_by="next_run_date", sort_order="asc") == [0, 2, 1]
    assert await search(enabled=False) == [1]
    assert await search(metadata={"n": 2}) == [2]
    assert await search(limit=1, offset=1) == [1]
    assert await search(assistant_id="another") == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"schedule": "never"}, "schedule"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"webhook": "https://example.com"}, "webhook"),
        ({"input": {"pieces": -1}}, "input"),
        ({"end_time": "2026-01-01T00:00:00"}, "end_time"),
    ],
)
async def test_what_cannot_be_is_refused(served: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await served.call("POST", "/runs/crons", json={**RUN, "schedule": "* * * * *", **body})
    assert (answer.status_code, answer.json()["param"]) == (400, param)
