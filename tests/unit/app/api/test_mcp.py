"""/mcp as the official client sees it: who may list and call what, what waits, what is refused, and how."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from mcp import ClientSession, McpError, types
from mcp.client.streamable_http import streamable_http_client

from core.audit import Audit
from tests.fakes.company import CUSTOMERS
from tests.fakes.gateway import TENANT, Gateway

MINE, THEIRS, SHIPPED = "ORD-10421", "ORD-10422", "ORD-10423"
TICKET = {"subject": "Late", "category": "delivery", "priority": "normal", "summary": "It has not come."}
REFUND = {"order_id": SHIPPED, "amount": "60.00", "reason": "charged twice"}
KEY, SUBJECT = "wayside/idempotency-key", "wayside/subject"


@asynccontextmanager
async def client(served: Gateway, role: str) -> AsyncIterator[ClientSession]:
    """The official client with this key, called in process."""
    headers = {"authorization": f"Bearer {served.keys[role]}"}
    transport = httpx.ASGITransport(served.app)
    async with (
        httpx.AsyncClient(transport=transport, headers=headers) as http,
        streamable_http_client("http://test/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def listed(served: Gateway, role: str) -> dict[str, types.Tool]:
    async with client(served, role) as session:
        return {tool.name: tool for tool in (await session.list_tools()).tools}


async def call(served: Gateway, role: str, name: str, arguments: dict[str, Any], **meta: Any) -> types.CallToolResult:
    told = {key.replace("_", "/", 1): value for key, value in meta.items()}
    async with client(served, role) as session:
        try:
            return await session.call_tool(name, arguments, meta=told)
        except McpError as problem:
            error = problem
    raise error  # From within, it would come as a group.


def said(result: types.CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    return block.text


def structured(result: types.CallToolResult) -> dict[str, Any]:
    assert result.structuredContent is not None
    return result.structuredContent


@pytest.fixture
def dear(office: Gateway) -> Gateway:
    """An order of the first customer with much to refund."""
    orders = office.parts.companies[TENANT].orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))
    return office


async def test_each_role_is_offered_its_own(office: Gateway) -> None:
    customer, staff = await listed(office, "customer"), await listed(office, "staff")
    assert customer.keys() < staff.keys() == (await listed(office, "admin")).keys()
    assert "search_catalog" not in customer
    assert customer["list_orders"].inputSchema["properties"]["customer_id"]["enum"] == [CUSTOMERS[0]]
    assert (await listed(office, "client")).keys() == {"search_help_center", "create_ticket", "escalate_to_human"}


async def test_annotations_say_what_is_so(office: Gateway) -> None:
    tools = await listed(office, "staff")
    hints = {name: tool.annotations for name, tool in tools.items() if tool.annotations}
    assert hints.keys() == tools.keys()
    acting = {name for name, hint in hints.items() if not hint.readOnlyHint}
    assert acting == {
        "create_ticket",
        "update_ticket",
        "cancel_order",
        "change_delivery_address",
        "issue_refund",
        "escalate_to_human",
        "create_purchase_order",
        "confirm_delivery",
    }
    assert {name for name in acting if hints[name].idempotentHint} == {"cancel_order", "change_delivery_address"}
    assert {name for name in acting if not hints[name].destructiveHint} == {"create_ticket", "create_purchase_order"}


async def test_reading(office: Gateway) -> None:
    result = await call(office, "customer", "lookup_order", {"order_id": MINE})
    assert not result.isError
    told = structured(result)
    assert (told["object"], told["tool"], told["result"]["total"]) == ("tool_result", "lookup_order", "40.00")
    assert json.loads(said(result)) == told["result"]
    assert structured(await call(office, "staff", "search_catalog", {"query": "kettle"}))["result"]


@pytest.mark.parametrize(
    ("role", "name", "arguments", "code", "words"),
    [
        ("customer", "lookup_order", {"order_id": THEIRS}, "not_found", THEIRS),
        ("customer", "list_orders", {"customer_id": CUSTOMERS[1]}, "not_found", CUSTOMERS[1]),
        ("customer", "cancel_order", {"order_id": THEIRS, "reason": "x"}, "not_found", THEIRS),
        ("customer", "search_catalog", {"query": "kettle"}, "forbidden", "role staff"),
        ("customer", "update_ticket", {"ticket_id": "TCK-00029", "note": "x"}, "forbidden", "role staff"),
        ("client", "lookup_order", {"order_id": MINE}, "no_customer", "no customer"),
        ("customer", "lookup_order", {"order": MINE}, "invalid_input", "order_id"),
        ("customer", "issue_refund", {**REFUND, "amount": "-1"}, "invalid_input", "amount"),
        ("customer", "issue_refund", {**REFUND, "amount": "900"}, "conflict", "left to refund"),
    ],
)
async def test_a_refusal_is_an_error_of_the_tool(
    office: Gateway, role: str, name: str, arguments: dict[str, Any], code: str, words: str
) -> None:
    result = await call(office, role, name, arguments)
    assert result.isError
    assert structured(result)["code"] == code
    assert words in said(result)


async def test_another_tenant_reads_and_changes_its_own(office: Gateway) -> None:
    office.parts.companies["rival"].orders.clear()
    for name, arguments in (("lookup_order", {"order_id": MINE}), ("cancel_order", {"order_id": MINE, "reason": "x"})):
        assert structured(await call(office, "stranger", name, arguments))["code"] == "not_found"


@pytest.mark.parametrize(
    ("name", "meta"),
    [
        ("no_such_tool", {}),
        ("create_ticket", {"wayside_idempotency-key": ""}),
        ("create_ticket", {"wayside_idempotency-key": 7}),
        ("create_ticket", {"wayside_subject": {"customer": "CUS-00001"}}),
        ("create_ticket", {"wayside_subject": "CUS-00001"}),
    ],
)
async def test_what_no_model_caused_is_an_error_of_the_protocol(
    office: Gateway, name: str, meta: dict[str, Any]
) -> None:
    with pytest.raises(McpError) as refused:
        await call(office, "staff", name, TICKET, **meta)
    assert refused.value.error.code == types.INVALID_PARAMS


async def test_a_call_takes_effect_once_a_key(office: Gateway) -> None:
    tickets = office.parts.companies[TENANT].tickets
    before = len(tickets)
    keyed = {"wayside_idempotency-key": "one"}
    results = await asyncio.gather(*(call(office, "customer", "create_ticket", TICKET, **keyed) for _ in range(5)))
    assert len({said(result) for result in results}) == 1
    assert len(tickets) == before + 1
    made = structured(results[0])["result"]
    assert made["customer_id"] == CUSTOMERS[0]
    # Another caller's key of the same name is another key, and a call without one is a call of its own.
    await call(office, "neighbour", "create_ticket", TICKET, **keyed)
    for _ in range(2):
        await call(office, "customer", "create_ticket", TICKET)
    assert len(tickets) == before + 4


async def test_the_header_names_the_call_too(office: Gateway) -> None:
    params = {"name": "create_ticket", "arguments": TICKET}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    before = len(office.parts.companies[TENANT].tickets)
    headers = {"idempotency-key": "k1", "accept": "application/json, text/event-stream"}
    first, again = [await office.call("POST", "/mcp", role="customer", json=message, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(office.parts.companies[TENANT].tickets) == before + 1


async def test_the_client_says_whom_it_is_about_within_what_its_key_may_see(office: Gateway) -> None:
    about = {"wayside_subject": {"customer_id": CUSTOMERS[1]}}
    made = structured(await call(office, "staff", "create_ticket", TICKET, **about))["result"]
    assert made["customer_id"] == CUSTOMERS[1]
    refused = await call(office, "customer", "create_ticket", TICKET, **about)
    assert (refused.isError, structured(refused)["code"]) == (True, "not_found")


async def test_what_needs_consent_says_so_and_happens_once_when_it_is_given(dear: Gateway) -> None:
    keyed = {"wayside_idempotency-key": "r1"}
    waiting = await call(dear, "customer", "issue_refund", REFUND, **keyed)
    approval = structured(waiting)
    assert (waiting.isError, approval["object"], approval["status"]) == (False, "approval", "pending")
    assert approval["id"] in said(waiting)
    assert "consent" in said(waiting)
    assert structured(await call(dear, "customer", "issue_refund", REFUND, **keyed))["id"] == approval["id"]
    orders = dear.parts.companies[TENANT].orders
    assert orders[SHIPPED].refunded == Decimal("20.00")
    decision = {"decision": "approve"}
    decided = await dear.call("POST", f"/api/approvals/{approval['id']}/decision", role="staff", json=decision)
    assert decided.json()["effect"] == "done"
    done = await call(dear, "customer", "issue_refund", REFUND, **keyed)
    assert structured(done)["result"]["refunded"] == "80.00"
    assert orders[SHIPPED].refunded == Decimal("80.00")
    entries = [each.entry for each in await Audit(dear.parts.database).entries(TENANT)]
    assert [entry.action for entry in entries] == ["approval.propose", "approval.approve", "effect.done"]


async def test_what_was_declined_is_an_error_with_the_reason(dear: Gateway) -> None:
    keyed = {"wayside_idempotency-key": "r1"}
    approval = structured(await call(dear, "customer", "issue_refund", REFUND, **keyed))["id"]
    decision = {"decision": "reject", "text": "only one charge is on record"}
    await dear.call("POST", f"/api/approvals/{approval}/decision", role="staff", json=decision)
    declined = await call(dear, "customer", "issue_refund", REFUND, **keyed)
    assert declined.isError
    assert "only one charge" in said(declined)
    assert dear.parts.companies[TENANT].orders[SHIPPED].refunded == Decimal("20.00")


async def test_what_nobody_foresaw_gives_nothing_away(office: Gateway) -> None:
    office.parts.companies[TENANT].orders[MINE] = None  # type: ignore[assignment]
    with pytest.raises(McpError) as unforeseen:
        await call(office, "staff", "lookup_order", {"order_id": MINE})
    assert unforeseen.value.error.code == types.INTERNAL_ERROR
    assert "NoneType" not in unforeseen.value.error.message


async def test_the_gateway_guards_it_like_everything(served: Gateway) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    unknown = await served.http.post("/mcp", json=message)
    assert (unknown.status_code, unknown.json()["code"]) == (401, "invalid_api_key")
    assert "x-request-id" in unknown.headers
    answered = await served.call("POST", "/mcp", json=message, headers={"accept": "application/json"})
    assert answered.status_code == 200
    assert answered.headers["x-ratelimit-limit-requests"]
    large = await served.call("POST", "/mcp", content=b"[" + b" " * 3 * 2**20 + b"]")
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    for method in ("GET", "DELETE"):
        assert (await served.call(method, "/mcp")).status_code == 405
    for broken in (b"{", b"[" * 100_000, b'{"id": NaN}'):
        answer = await served.call("POST", "/mcp", content=broken)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)
