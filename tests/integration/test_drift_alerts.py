"""Alerts reach a webhook, signed, once: through refusals, lost connections and a process that dies."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from app.drift.alerting import DELIVERY, SIGNATURE, Alerts
from app.drift.checks import Checks
from app.drift.tables import DriftAlertRow
from core.database import Database, now
from core.settings import DriftSettings
from tests.integration.test_drift import new

SECRET = "sixteen letters!"
SETTINGS = DriftSettings(webhook_url="https://hooks.example/drift", webhook_secret=SECRET)


class Receiver:
    """What stands behind the URL: answers with the statuses in turn, the last one for ever."""

    def __init__(self, *answers: int | Exception) -> None:
        self._answers = list(answers)
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.transport = httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "https://hooks.example/drift"
        body = request.content
        expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers[SIGNATURE] == f"sha256={expected}"
        self.received.append((request.headers[DELIVERY], orjson.loads(body)))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer, headers={"location": "https://elsewhere.example/"})


def delivering(database: Database, receiver: Receiver) -> Alerts:
    return Alerts(database, SETTINGS, asyncio.Event(), poll=0.01, transport=receiver.transport)


async def due_again(database: Database) -> None:
    async with database.session() as session:
        await session.execute(update(DriftAlertRow).values(due_at=now() - timedelta(seconds=1)))


async def test_what_started_and_ended_is_told_in_order(database: Database) -> None:
    checks, receiver = Checks(database, alerting=True), Receiver(200)
    await checks.record(new("a", "b"), now())
    last = await checks.record(new("b"), now())
    assert await delivering(database, receiver).deliver() == 3
    assert await delivering(database, receiver).deliver() == 0
    told = [(body["event"], body["finding"]["name"]) for _, body in receiver.received]
    assert told == [("started", "a"), ("started", "b"), ("ended", "a")]
    name, body = receiver.received[-1]
    assert (body["object"], body["id"], body["model"], body["version"]) == ("drift.alert", name, "fraud", 1)
    assert (body["check_id"], body["finding"]["words"]) == (last.id, "a moved")


@pytest.mark.parametrize("wrong", [500, 302, httpx2.ConnectError("away")])
async def test_one_that_was_not_taken_comes_again_and_then_no_more(database: Database, wrong: int | Exception) -> None:
    receiver = Receiver(wrong, 204)
    await Checks(database, alerting=True).record(new("a"), now())
    alerts = delivering(database, receiver)
    assert await alerts.deliver() == 0
    # Not at once.
    assert await alerts.deliver() == 0
    assert len(receiver.received) == 1
    await due_again(database)
    assert await alerts.deliver() == 1
    await due_again(database)
    assert await alerts.deliver() == 0
    assert len({name for name, _ in receiver.received}) == 1
    assert len(receiver.received) == 2


async def test_the_waits_grow_to_about_an_hour(database: Database) -> None:
    await Checks(database, alerting=True).record(new("a"), now())
    waits = []
    for _ in range(9):
        await due_again(database)
        await delivering(database, Receiver(500)).deliver()
        async with database.session() as session:
            row = (await session.scalars(select(DriftAlertRow))).one()
        waits.append(round((row.due_at - now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


async def test_two_gateways_send_each_once(database: Database) -> None:
    receiver = Receiver(200)
    await Checks(database, alerting=True).record(new(*"abcdefgh"), now())
    taken = await asyncio.gather(*(delivering(database, receiver).deliver() for _ in range(3)))
    assert sum(taken) == len(receiver.received) == 8


async def test_a_process_that_dies_after_its_claim_loses_nothing(database: Database) -> None:
    receiver = Receiver(200)
    await Checks(database, alerting=True).record(new("a"), now())
    assert await delivering(database, receiver)._claim() is not None
    # It died before it sent anything.
    assert await delivering(database, receiver).deliver() == 0
    await due_again(database)
    assert await delivering(database, receiver).deliver() == 1


async def test_it_delivers_while_the_gateway_runs(database: Database) -> None:
    receiver, made = Receiver(200), asyncio.Event()
    running = asyncio.create_task(Alerts(database, SETTINGS, made, poll=60, transport=receiver.transport).run())
    await asyncio.sleep(0.05)
    await Checks(database, alerting=True).record(new("a"), now())
    made.set()
    while not receiver.received:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_url": "https://hooks.example/drift"},
        {"webhook_url": "https://hooks.example/drift", "webhook_secret": "short"},
        {"webhook_url": "ftp://hooks.example/drift", "webhook_secret": SECRET},
    ],
)
def test_a_webhook_takes_a_secret(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        DriftSettings.model_validate(wrong)
