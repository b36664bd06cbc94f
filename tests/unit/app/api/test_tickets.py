from typing import Any

import pytest

from tests.fakes.gateway import TENANT, Gateway

MINE, THEIRS = "TCK-00029", "TCK-00030"
NEW = {"subject": "Late", "category": "delivery", "priority": "normal", "summary": "It has not come."}


async def _create(office: Gateway, role: str, **body: Any) -> Any:
    return await office.call("POST", "/api/tickets", role=role, json={**NEW, **body})


async def test_a_client_opens_a_ticket_of_its_own(office: Gateway) -> None:
    made = await _create(office, "customer", order_id="ORD-10421")
    assert (made.status_code, made.json()["customer_id"], made.json()["order_id"]) == (201, "CUS-00001", "ORD-10421")
    visitor = await _create(office, "client")
    assert (visitor.status_code, visitor.json()["customer_id"]) == (201, None)
    staff = await _create(office, "staff", customer_id="CUS-00002")
    assert (staff.status_code, staff.json()["customer_id"]) == (201, "CUS-00002")


async def test_what_the_staff_write_stays_with_them(office: Gateway) -> None:
    change = {"note": "rude on the phone", "assignee": "maeve"}
    changed = await office.call("POST", f"/api/tickets/{MINE}/update", role="staff", json=change)
    assert changed.json()["notes"][0]["text"] == "rude on the phone"
    shown = await office.call("GET", f"/api/tickets/{MINE}", role="customer")
    handed = await office.call(
        "POST", f"/api/tickets/{MINE}/escalate", role="customer", json={"team": "billing", "reason": "please"}
    )
    listed = await office.call("GET", "/api/tickets", role="customer")
    assert {each["customer_id"] for each in listed.json()["data"]} == {"CUS-00001"}
    for answer in (shown, handed, listed):
        assert answer.status_code == 200
        assert "rude" not in answer.text
        assert "maeve" not in answer.text


@pytest.mark.parametrize(("role", "ticket"), [("customer", THEIRS), ("client", MINE), ("client", THEIRS)])
async def test_nobody_else_s_ticket_exists(office: Gateway, role: str, ticket: str) -> None:
    before = dict(office.parts.companies[TENANT].tickets)
    assert (await office.call("GET", f"/api/tickets/{ticket}", role=role)).status_code == 404
    body = {"team": "billing", "reason": "please"}
    assert (await office.call("POST", f"/api/tickets/{ticket}/escalate", role=role, json=body)).status_code == 404
    for query in ({}, {"customer_id": before[ticket].customer_id}, {"order_id": "ORD-10421"}):
        listed = (await office.call("GET", "/api/tickets", role=role, params=query)).json()["data"]
        assert ticket not in {each["id"] for each in listed}
    assert (await _create(office, role, order_id="ORD-10422")).status_code == 404
    assert (await _create(office, role, customer_id="CUS-00002")).status_code == 404
    assert office.parts.companies[TENANT].tickets == before


async def test_another_tenant_s_ticket_does_not_exist(office: Gateway) -> None:
    office.parts.companies["rival"].tickets.clear()
    assert (await office.call("GET", f"/api/tickets/{MINE}", role="stranger")).status_code == 404
    for act, body in (("update", {"note": "x"}), ("escalate", {"team": "fraud", "reason": "x"})):
        answer = await office.call("POST", f"/api/tickets/{MINE}/{act}", role="stranger", json=body)
        assert answer.status_code == 404
    assert (await office.call("GET", "/api/tickets", role="stranger")).json()["data"] == []


async def test_clients_do_not_work_on_tickets(office: Gateway) -> None:
    answer = await office.call("POST", f"/api/tickets/{MINE}/update", role="customer", json={"status": "closed"})
    assert answer.status_code == 403


async def test_tickets_are_filtered(office: Gateway) -> None:
    query = {"status": ["open", "pending"], "limit": 1}
    found = (await office.call("GET", "/api/tickets", role="staff", params=query)).json()
    assert ([each["status"] for each in found["data"]], found["has_more"]) == (["pending"], True)
