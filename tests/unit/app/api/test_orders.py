from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.gateway import TENANT, Gateway

MINE, THEIRS, SHIPPED = "ORD-10421", "ORD-10422", "ORD-10423"
ACTS: dict[str, dict[str, Any]] = {
    "cancel": {"reason": "changed my mind"},
    "address": {"address": "1 New Road, Galway"},
    "refund": {"amount": "5.00", "reason": "torn"},
}


async def _act(office: Gateway, role: str, order: str, act: str, **body: Any) -> Any:
    return await office.call("POST", f"/api/orders/{order}/{act}", role=role, json={**ACTS[act], **body})


async def test_a_client_sees_its_own_orders(office: Gateway) -> None:
    mine = (await office.call("GET", "/api/orders", role="customer")).json()
    assert {each["customer_id"] for each in mine["data"]} == {"CUS-00001"}
    assert (await office.call("GET", f"/api/orders/{MINE}", role="customer")).json()["total"] == "40.00"
    staff = (await office.call("GET", "/api/orders", role="staff", params={"limit": 3})).json()
    assert (len(staff["data"]), staff["has_more"]) == (3, True)
    one = (await office.call("GET", "/api/orders", role="staff", params={"customer_id": "CUS-00002"})).json()
    assert {each["customer_id"] for each in one["data"]} == {"CUS-00002"}


@pytest.mark.parametrize(("role", "order"), [("customer", THEIRS), ("client", MINE), ("client", THEIRS)])
async def test_nobody_else_s_order_exists(office: Gateway, role: str, order: str) -> None:
    before = dict(office.parts.companies[TENANT].orders)
    assert (await office.call("GET", f"/api/orders/{order}", role=role)).status_code == 404
    for act in ACTS:
        assert (await _act(office, role, order, act)).status_code == 404
    for customer in ({}, {"customer_id": before[order].customer_id}):
        listed = (await office.call("GET", "/api/orders", role=role, params=customer)).json()["data"]
        assert order not in {each["id"] for each in listed}
    assert office.parts.companies[TENANT].orders == before


async def test_another_tenant_s_order_does_not_exist(office: Gateway) -> None:
    office.parts.companies["rival"].orders.clear()
    assert (await office.call("GET", f"/api/orders/{MINE}", role="stranger")).status_code == 404
    assert (await office.call("GET", "/api/orders", role="stranger")).json()["data"] == []
    for act in ACTS:
        assert (await _act(office, "stranger", MINE, act)).status_code == 404


async def test_an_order_is_redirected_and_cancelled(office: Gateway) -> None:
    moved = (await _act(office, "customer", MINE, "address")).json()
    assert moved["address"] == "1 New Road, Galway"
    assert (await _act(office, "customer", MINE, "cancel")).json()["status"] == "cancelled"
    refused = await _act(office, "customer", MINE, "cancel")
    assert (refused.status_code, refused.json()["code"], refused.headers["x-should-retry"]) == (
        409,
        "conflict",
        "false",
    )


async def test_a_small_refund_is_paid_and_a_large_one_needs_a_person(office: Gateway) -> None:
    orders = office.parts.companies[TENANT].orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))
    paid = await _act(office, "customer", SHIPPED, "refund", amount=30)
    assert (paid.status_code, paid.json()["refunded"]) == (200, "50.00")
    waits = await _act(office, "customer", SHIPPED, "refund", amount="0.01")
    assert (waits.status_code, waits.json()["status"]) == (202, "pending")
    assert orders[SHIPPED].refunded == Decimal("50.00")


async def test_a_repeated_request_acts_once_even_without_its_first_answer(office: Gateway) -> None:
    headers = {"idempotency-key": "once"}
    body = {"amount": "5.00", "reason": "torn"}
    path = f"/api/orders/{SHIPPED}/refund"
    first = await office.call("POST", path, role="customer", json=body, headers=headers)
    # What a process that died before it kept its answer leaves behind.
    async with office.parts.database.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM idempotency")
    again = await office.call("POST", path, role="customer", json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json())
    assert office.parts.companies[TENANT].orders[SHIPPED].refunded == Decimal("25.00")


@pytest.mark.parametrize(
    ("act", "body", "param"),
    [
        ("refund", {"amount": "-1"}, "amount"),
        ("refund", {"amount": "1.001"}, "amount"),
        ("refund", {"customer_id": "CUS-00002"}, "customer_id"),
        ("cancel", {"reason": ""}, "reason"),
        ("address", {"address": "a\0b"}, "address"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    office: Gateway, act: str, body: dict[str, Any], param: str
) -> None:
    answer = await _act(office, "customer", MINE, act, **body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
