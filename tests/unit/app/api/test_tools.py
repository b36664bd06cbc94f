from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.gateway import TENANT, Gateway

SHIPPED, THEIRS = "ORD-10423", "ORD-10422"
REFUND = {"order_id": SHIPPED, "amount": "5.00", "reason": "broken cup"}


async def use(
    office: Gateway,
    tool: str,
    arguments: dict[str, Any] | None = None,
    *,
    role: str = "staff",
    key: str = "",
    **more: Any,
) -> Any:
    headers = {"idempotency-key": key} if key else {}
    body = {"arguments": arguments or {}, **more}
    return await office.call("POST", f"/api/tools/{tool}", role=role, json=body, headers=headers)


async def test_each_role_is_offered_what_it_may_use(office: Gateway) -> None:
    offered = {}
    for role in ("client", "customer", "staff"):
        listed = (await office.call("GET", "/api/tools", role=role)).json()
        assert (listed["object"], listed["has_more"]) == ("list", False)
        offered[role] = {each["name"]: each for each in listed["data"]}
    assert "lookup_order" not in offered["client"]
    assert "lookup_order" in offered["customer"]
    assert offered["customer"].keys() < offered["staff"].keys()
    refund = offered["staff"]["issue_refund"]
    assert (refund["object"], refund["acts"], offered["staff"]["check_stock"]["acts"]) == ("tool", True, False)
    assert refund["parameters"]["required"] == ["order_id", "amount", "reason"]
    assert refund["description"] == "Pay money back for an order."


async def test_a_reading_gives_its_result(office: Gateway) -> None:
    answer = await use(office, "check_stock", {"sku": "SKU-0001"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["object"], told["tool"], told["result"]["product"]["sku"]) == (
        "tool_result",
        "check_stock",
        "SKU-0001",
    )


async def test_an_action_takes_effect_once_under_its_key(office: Gateway) -> None:
    first = await use(office, "issue_refund", REFUND, key="k1")
    again = await use(office, "issue_refund", REFUND, key="k1")
    assert (first.status_code, first.json()["result"]["refunded"]) == (200, "25.00")
    assert again.json() == first.json()
    assert office.parts.companies[TENANT].orders[SHIPPED].refunded == Decimal("25.00")
    other = await use(office, "issue_refund", {**REFUND, "amount": "6.00"}, key="k1")
    assert other.status_code == 422


async def test_above_the_limit_it_waits_for_people(office: Gateway) -> None:
    orders = office.parts.companies[TENANT].orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))
    waits = await use(office, "issue_refund", {**REFUND, "amount": "60.00"}, subject={"customer_id": "CUS-00001"})
    assert (waits.status_code, waits.json()["object"], waits.json()["status"]) == (202, "approval", "pending")
    assert waits.json()["subject"] == {"customer_id": "CUS-00001"}
    assert office.parts.companies[TENANT].orders[SHIPPED].refunded == Decimal("20.00")


async def test_the_subject_binds_the_call_to_its_customer(office: Gateway) -> None:
    bound = {"customer_id": "CUS-00001"}
    for tool, arguments in (
        ("lookup_order", {"order_id": THEIRS}),
        ("list_orders", {"customer_id": "CUS-00002"}),
        ("cancel_order", {"order_id": THEIRS, "reason": "x"}),
        ("update_ticket", {"ticket_id": "TCK-00030", "note": "x"}),
    ):
        assert (await use(office, tool, arguments, subject=bound)).status_code == 404, tool
    assert (await use(office, "lookup_order", {"order_id": THEIRS})).status_code == 200
    assert (await use(office, "lookup_order", {"order_id": THEIRS}, role="customer")).status_code == 404
    borrowed = await use(
        office, "lookup_order", {"order_id": THEIRS}, role="customer", subject={"customer_id": "CUS-00002"}
    )
    assert borrowed.status_code == 404


async def test_the_ticket_of_the_subject_is_handed_over(office: Gateway) -> None:
    subject = {"customer_id": "CUS-00001", "ticket_id": "TCK-00029"}
    handed = await use(office, "escalate_to_human", {"team": "fraud", "reason": "odd"}, subject=subject)
    assert (handed.json()["result"]["id"], handed.json()["result"]["team"]) == ("TCK-00029", "fraud")


@pytest.mark.parametrize(
    ("tool", "arguments", "param"),
    [
        ("lookup_order", {}, "order_id"),
        ("lookup_order", {"order_id": SHIPPED, "colour": "red"}, "colour"),
        ("issue_refund", {**REFUND, "amount": "-1"}, "amount"),
        ("escalate_to_human", {"team": "kitchen", "reason": "x"}, "team"),
    ],
)
async def test_arguments_that_the_tool_does_not_take_are_named(
    office: Gateway, tool: str, arguments: dict[str, Any], param: str
) -> None:
    refused = await use(office, tool, arguments)
    assert (refused.status_code, refused.json()["param"]) == (400, param)


@pytest.mark.parametrize(
    ("tool", "role", "status"),
    [
        ("fly_to_the_moon", "staff", 404),
        ("update_ticket", "customer", 403),
        ("check_stock", "customer", 403),
        ("lookup_order", "client", 404),
    ],
)
async def test_what_is_not_for_the_caller_is_refused(office: Gateway, tool: str, role: str, status: int) -> None:
    assert (await use(office, tool, {"ticket_id": "TCK-00029", "note": "x"}, role=role)).status_code == status


async def test_a_body_that_is_no_call_is_refused(office: Gateway) -> None:
    for body, param in (({"argument": {}}, "argument"), ({"subject": {"supplier_id": "x"}}, "subject.supplier_id")):
        refused = await office.call("POST", "/api/tools/list_orders", role="staff", json=body)
        assert (refused.status_code, refused.json()["param"]) == (400, param)
