"""/api/fraud: who may ask, what is answered, what is refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.gateway import Gateway


def payment(name: str = "PAY-1", **other: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"id": name, "at": at, "card": "CRD-1", "terminal": "TRM-1", "amount": "24.90", **other}


async def score(served: Gateway, body: Any, role: str = "staff") -> Any:
    return await served.call("POST", "/api/fraud/score", role=role, json=body)


async def test_a_decision_and_its_ground(served: Gateway) -> None:
    body = payment()
    made = (await score(served, body)).json()
    assert (made["object"], made["transaction_id"], made["amount"]) == ("fraud.decision", "PAY-1", "24.90")
    assert (made["band"], made["probability"], made["model"], made["outcome"]) == ("allow", None, None, None)
    assert made["features"]["amount"] == 24.9
    assert made["features"]["hours_since_use"] is None
    assert datetime.fromisoformat(made["at"]) == datetime.fromisoformat(body["at"]).replace(
        microsecond=datetime.fromisoformat(made["at"]).microsecond
    )
    assert (await score(served, body)).json() == made
    assert (await served.call("GET", "/api/fraud/decisions/PAY-1", role="staff")).json() == made


async def test_a_fast_card_is_looked_at_and_reported(served: Gateway) -> None:
    batch = {"transactions": [payment(f"PAY-{number}") for number in range(7)]}
    answer = await served.call("POST", "/api/fraud/score/batch", role="staff", json=batch)
    assert [each["band"] for each in answer.json()["data"]] == ["allow"] * 6 + ["review"]
    queue = await served.call("GET", "/api/fraud/decisions?band=review&undecided=true", role="staff")
    [waiting] = queue.json()["data"]
    assert waiting["reasons"] == [
        {"feature": "fast_card", "value": None, "weight": 0.0, "text": "the card was used 7 times within an hour"}
    ]
    told = await served.call("POST", "/api/fraud/decisions/PAY-6/outcome", role="staff", json={"outcome": "fraud"})
    assert (told.json()["outcome"], told.json()["outcome_by"][:4]) == ("fraud", "key:")
    queue = await served.call("GET", "/api/fraud/decisions?band=review&undecided=true", role="staff")
    assert queue.json() == {"object": "list", "data": [], "has_more": False}


async def test_pages_of_decisions(served: Gateway) -> None:
    batch = {"transactions": [payment(f"PAY-{number}") for number in range(5)]}
    await served.call("POST", "/api/fraud/score/batch", role="staff", json=batch)
    seen: list[str] = []
    before = ""
    while True:
        page = (await served.call("GET", f"/api/fraud/decisions?limit=2{before}", role="staff")).json()
        seen += [each["transaction_id"] for each in page["data"]]
        if not page["has_more"]:
            break
        before = f"&before={page['data'][-1]['number']}"
    assert seen == ["PAY-4", "PAY-3", "PAY-2", "PAY-1", "PAY-0"]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"amount": "1.234"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"at": "2026-01-01T00:00:00"}, "at"),
        ({"card": "4111 1111"}, "card"),
        ({"id": ""}, "id"),
        ({"colour": "red"}, "colour"),
        ({"at": "2020-01-01T00:00:00Z"}, "at"),
        ({"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "at"),
    ],
)
async def test_what_is_wrong_is_named(served: Gateway, wrong: dict[str, Any], param: str) -> None:
    answer = await score(served, payment(**wrong))
    assert answer.status_code in (400, 422)
    assert param in answer.json()["param"]
    assert (await served.call("GET", "/api/fraud/decisions", role="staff")).json()["data"] == []


async def test_another_transaction_of_the_id_is_refused(served: Gateway) -> None:
    body = payment()
    await score(served, body)
    answer = await score(served, {**body, "amount": "99.00"})
    assert (answer.status_code, answer.headers["x-should-retry"]) == (409, "false")


async def test_clients_have_no_business_here(served: Gateway) -> None:
    await score(served, payment())
    assert (await score(served, payment(), role="client")).status_code == 403
    for path in ("", "/PAY-1"):
        assert (await served.call("GET", f"/api/fraud/decisions{path}", role="client")).status_code == 403
    stranger = await served.call("GET", "/api/fraud/decisions/PAY-1", role="stranger")
    assert stranger.status_code == 404
    assert (await served.call("GET", "/api/fraud/decisions", role="stranger")).json()["data"] == []


async def test_one_id_from_many_at_once_is_one_decision(served: Gateway) -> None:
    body = payment()
    answers = await asyncio.gather(*(score(served, body) for _ in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
