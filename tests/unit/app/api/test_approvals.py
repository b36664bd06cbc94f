from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.gateway import TENANT, Gateway

SHIPPED = "ORD-10423"
APPROVE = {"decision": "approve"}


@pytest.fixture
async def approval(office: Gateway) -> str:
    """A client's refund of 60.00 that waits."""
    orders = office.parts.companies[TENANT].orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))
    return await _propose(office, "customer")


async def _propose(office: Gateway, role: str) -> str:
    body = {"amount": "60.00", "reason": "charged twice"}
    answer = await office.call("POST", f"/api/orders/{SHIPPED}/refund", role=role, json=body)
    assert answer.status_code == 202
    return str(answer.json()["id"])


async def _decide(office: Gateway, approval: str, body: dict[str, Any], role: str = "staff") -> Any:
    return await office.call("POST", f"/api/approvals/{approval}/decision", role=role, json=body)


async def test_what_waits_is_shown_with_its_reason(office: Gateway, approval: str) -> None:
    shown = (await office.call("GET", f"/api/approvals/{approval}", role="staff")).json()
    told = ("tool", "arguments", "subject", "status", "by", "quorum", "four_eyes", "reason", "effect")
    assert {name: shown[name] for name in told} == {
        "tool": "issue_refund",
        "arguments": {"order_id": SHIPPED, "amount": "60.00", "reason": "charged twice"},
        "subject": {"customer_id": "CUS-00001"},
        "status": "pending",
        "by": "staff",
        "quorum": 1,
        "four_eyes": True,
        "reason": "refunded is 80.00, above the limit of 50.00",
        "effect": None,
    }
    listed = await office.call("GET", "/api/approvals", role="customer", params={"status": "pending"})
    assert listed.json() == {"object": "list", "data": [shown], "has_more": False}


async def test_deciding_performs_the_call_once(office: Gateway, approval: str) -> None:
    first = await _decide(office, approval, APPROVE)
    again = await _decide(office, approval, APPROVE, "colleague")
    assert (first.status_code, first.json()["status"], first.json()["effect"]) == (200, "approved", "done")
    assert (again.json(), first.json()["result"]["refunded"]) == (first.json(), "80.00")
    other = await _decide(office, approval, {"decision": "reject", "text": "no"}, "colleague")
    assert (other.status_code, other.json()["code"]) == (409, "approval_approved")
    seen = (await office.call("GET", f"/api/approvals/{approval}", role="customer")).json()
    assert seen == first.json()


async def test_an_edit_and_a_response(office: Gateway, approval: str) -> None:
    edited = {"order_id": SHIPPED, "amount": "40.00", "reason": "charged twice"}
    done = (await _decide(office, approval, {"decision": "edit", "arguments": edited})).json()
    assert (done["approved"], done["arguments"]["amount"]) == (edited, "60.00")
    assert done["result"]["refunded"] == "60.00"
    other = await _propose(office, "customer")
    told = (await _decide(office, other, {"decision": "respond", "text": "Ask which charge."})).json()
    assert (told["status"], told["votes"][0]["text"], told["effect"]) == ("responded", "Ask which charge.", None)


@pytest.mark.parametrize(
    ("role", "status"), [("client", 403), ("customer", 403), ("neighbour", 403), ("stranger", 404), ("engineer", 200)]
)
async def test_who_may_decide(office: Gateway, approval: str, role: str, status: int) -> None:
    assert (await _decide(office, approval, APPROVE, role)).status_code == status
    paid = office.parts.companies[TENANT].orders[SHIPPED].refunded
    assert paid == (Decimal("80.00") if status == 200 else Decimal("20.00"))


async def test_nobody_decides_on_their_own(office: Gateway, approval: str) -> None:
    own = await _propose(office, "staff")
    refused = await _decide(office, own, APPROVE)
    assert (refused.status_code, refused.json()["code"]) == (403, "four_eyes")


@pytest.mark.parametrize("role", ["client", "neighbour", "stranger"])
async def test_nobody_else_s_approval_exists(office: Gateway, approval: str, role: str) -> None:
    assert (await office.call("GET", f"/api/approvals/{approval}", role=role)).status_code == 404
    assert (await office.call("GET", "/api/approvals", role=role)).json()["data"] == []
    after = await office.call("GET", "/api/approvals", role=role, params={"after": approval})
    assert after.status_code == 404


async def test_pages_do_not_overlap(office: Gateway, approval: str) -> None:
    known = {approval, await _propose(office, "customer"), await _propose(office, "staff")}
    first = (await office.call("GET", "/api/approvals", role="staff", params={"limit": 2})).json()
    assert first["has_more"]
    after = first["data"][-1]["id"]
    rest = (await office.call("GET", "/api/approvals", role="staff", params={"limit": 2, "after": after})).json()
    assert not rest["has_more"]
    assert sorted(each["id"] for each in first["data"] + rest["data"]) == sorted(known)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "decision"),
        ({"decision": "perhaps"}, "decision"),
        ({"decision": "edit"}, "arguments"),
        ({"decision": "approve", "arguments": {}}, "arguments"),
        ({"decision": "respond"}, "text"),
        ({"decision": "edit", "arguments": {"order_id": SHIPPED, "amount": "0", "reason": "x"}}, "amount"),
        ({"decision": "approve", "by": "me"}, "by"),
    ],
)
async def test_a_decision_that_makes_no_sense_is_refused(
    office: Gateway, approval: str, body: dict[str, Any], param: str
) -> None:
    answer = await _decide(office, approval, body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
