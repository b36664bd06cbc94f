"""A device that takes part: what it agrees to, what it sends, and what it does when things go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from app.device.federating import HttpFederating, Order, Terms, TookPart, read_rows, take_part
from core.errors import ApiError, GatewayUnreachable, InvalidInput
from tabular.federated.local import improve
from tabular.federated.task import Floats
from tests.unit.tabular.federated.making import TASK, people, plan

ROWS = people(30, seed=1)
TRAIN = Order(asked="train", round=1, weights=[0.0] * 5, wait_seconds=None)
WAIT = Order(asked="wait", round=None, weights=None, wait_seconds=7.0)
ENDED = Order(asked="ended", round=None, weights=None, wait_seconds=None)


@dataclass
class Scripted:
    """A gateway that says what it was told to, in turn; an error is raised instead."""

    orders: list[Order | Exception]
    answers: list[Exception | None] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    updates: list[tuple[int, Floats]] = field(default_factory=list)

    def terms(self, name: str) -> Terms:
        self.calls.append("terms")
        return Terms(about="Who stays?", task=TASK, plan=plan(epsilon=4.0, epochs=2))

    def enrol(self, name: str) -> None:
        self.calls.append("enrol")

    def work(self, name: str) -> Order:
        order = self.orders.pop(0)
        if isinstance(order, Exception):
            raise order
        return order

    def submit(self, name: str, number: int, update: Floats) -> None:
        self.updates.append((number, update))
        if (problem := self.answers.pop(0) if self.answers else None) is not None:
            raise problem


def run(gateway: Scripted, rows: list[dict[str, str]] = ROWS, most: float = 8.0) -> tuple[TookPart, list[float]]:
    slept: list[float] = []
    return take_part(gateway, "stays", rows, most_epsilon=most, say=lambda _: None, sleep=slept.append), slept


def test_it_trains_when_it_is_drawn_and_waits_as_it_is_told() -> None:
    gateway = Scripted([WAIT, TRAIN, WAIT, TRAIN.model_copy(update={"round": 4}), ENDED])
    took, slept = run(gateway)
    assert (took, slept) == (TookPart(2, 0), [7.0, 7.0])
    assert [number for number, _ in gateway.updates] == [1, 4]
    known = improve(np.zeros(5), TASK.rows(ROWS), plan(epochs=2), seed=0)
    # Its own seed orders the rows, which moves the update only a little.
    assert np.linalg.norm(gateway.updates[0][1] - known) < 0.2 * np.linalg.norm(known)


def test_it_agrees_to_no_more_than_its_person() -> None:
    gateway = Scripted([])
    with pytest.raises(InvalidInput, match="more than 3 was not agreed to"):
        run(gateway, most=3.0)
    with pytest.raises(InvalidInput, match="row 1: there is no column age"):
        run(gateway, rows=[{"tier": "gold"}])
    assert "enrol" not in gateway.calls


@pytest.mark.parametrize("code", ["round_over", "not_drawn", "already_answered"])
def test_too_late_is_no_reason_to_stop(code: str) -> None:
    took, _ = run(Scripted([TRAIN, TRAIN, ENDED], [ApiError("no", code=code)]))
    assert took == TookPart(1, 1)


def test_what_is_refused_otherwise_ends_it() -> None:
    with pytest.raises(ApiError, match="revoked"):
        run(Scripted([TRAIN], [ApiError("revoked", code="invalid_api_key")]))
    with pytest.raises(ApiError, match="4 weights were sent for 5"):
        run(Scripted([TRAIN.model_copy(update={"weights": [0.0] * 4})]))


def test_a_gateway_that_is_away_is_waited_for_less_and_less_often() -> None:
    away = [GatewayUnreachable("away")] * 8
    took, slept = run(Scripted([*away, TRAIN, WAIT, ENDED], [GatewayUnreachable("lost")]))
    assert took == TookPart(0, 0)
    assert slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 0.5, 7.0]


def over(handle: Callable[[httpx2.Request], httpx2.Response]) -> HttpFederating:
    return HttpFederating("http://gateway", "wsk_x", transport=httpx2.MockTransport(handle))


def test_what_it_says_over_http() -> None:
    seen: list[tuple[str, str, Any]] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.method, request.url.path, request.content.decode()))
        assert request.headers["authorization"] == "Bearer wsk_x"
        if request.url.path.endswith("/work"):
            return httpx2.Response(200, json=TRAIN.model_dump())
        if request.url.path.endswith("/updates"):
            return httpx2.Response(409, json={"message": "round 1 is not open", "code": "round_over", "param": None})
        return httpx2.Response(204)

    with over(handle) as gateway:
        gateway.enrol("stays")
        assert gateway.work("stays") == TRAIN
        with pytest.raises(ApiError, match="not open") as refused:
            gateway.submit("stays", 1, np.array([0.5, -1.0]))
        gateway.leave("stays")
    assert refused.value.code == "round_over"
    assert seen == [
        ("POST", "/api/federated/stays/enrolment", '{"consent":true}'),
        ("GET", "/api/federated/stays/work", ""),
        ("POST", "/api/federated/stays/updates", '{"round":1,"update":[0.5,-1.0]}'),
        ("DELETE", "/api/federated/stays/enrolment", ""),
    ]


@pytest.mark.parametrize(("status", "content"), [(503, b"{}"), (429, b"{}"), (200, b"{")])
def test_what_may_be_better_in_a_moment(status: int, content: bytes) -> None:
    with (
        over(lambda _: httpx2.Response(status, content=content)) as gateway,
        pytest.raises(GatewayUnreachable),
    ):
        gateway.terms("stays")


def test_an_answer_of_another_kind_is_refused() -> None:
    with over(lambda _: httpx2.Response(200, json={"asked": 7})) as gateway, pytest.raises(ApiError, match="none that"):
        gateway.work("stays")


def test_rows_are_read_from_a_table(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('age,tier\n40,"gold, old"\n41,\n')
    assert read_rows(path) == [{"age": "40", "tier": "gold, old"}, {"age": "41", "tier": ""}]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"age,tier\n40\n", "row 1"), (b"age\n40\n41,x\n", "row 2"), (b"\xff\xfe", "cannot be read"), (None, "cannot be")],
)
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "rows.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=told):
        read_rows(path)
