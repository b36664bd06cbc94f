"""The official MCP client against a real server, and a real server with MCP servers of its own to call."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from core.database import Database
from core.identity import Identity
from core.types import Role
from tests.e2e.server import Server, serving
from tests.fakes.mcp_server import __file__ as shed_script

KEY = "wayside/idempotency-key"
TICKET = {"subject": "Torn", "category": "product", "priority": "normal", "summary": "A seam came open."}


def make_key(server: Server, role: str, customer: str | None = None) -> str:
    with server.http() as http:
        body = {"name": role, "role": role} | ({"customer_id": customer} if customer else {})
        return str(http.post("/api/keys", json=body).raise_for_status().json()["key"])


async def rival_key(server: Server) -> str:
    """An admin's key of another tenant on the same server."""
    database = Database(f"sqlite+aiosqlite:///{server.workspace / 'wayside.db'}")
    key, _ = await Identity(database).create("rival", "rival", Role.ADMIN)
    await database.close()
    return key


@asynccontextmanager
async def client(server: Server, key: str) -> AsyncIterator[ClientSession]:
    async with (
        create_mcp_http_client(headers={"Authorization": f"Bearer {key}"}) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def call(server: Server, key: str, name: str, arguments: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The structured result; a refusal's has a `code`."""
    async with client(server, key) as session:
        result = await session.call_tool(name, arguments, **options)
    assert result.structuredContent is not None
    assert result.isError == ("code" in result.structuredContent)
    return result.structuredContent


async def tools(server: Server, key: str) -> dict[str, types.Tool]:
    async with client(server, key) as session:
        return {tool.name: tool for tool in (await session.list_tools()).tools}


@pytest.fixture(scope="module")
def orders(demo_server: Server) -> list[dict[str, Any]]:
    """Orders of two customers."""
    with demo_server.http() as http:
        found = http.get("/api/orders", params={"limit": 100}).raise_for_status().json()["data"]
    first = found[0]
    return [first, next(order for order in found if order["customer_id"] != first["customer_id"])]


async def test_everybody_gets_the_tools_of_their_role(demo_server: Server, orders: list[dict[str, Any]]) -> None:
    customer = await tools(demo_server, make_key(demo_server, "client", orders[0]["customer_id"]))
    staff = await tools(demo_server, make_key(demo_server, "staff"))
    assert customer.keys() < staff.keys() == (await tools(demo_server, demo_server.key)).keys()
    for tool in staff.values():
        assert tool.inputSchema["type"] == "object"
        assert tool.annotations is not None
    assert staff["issue_refund"].annotations.readOnlyHint is False  # type: ignore[union-attr]


async def test_a_customer_reads_its_own_and_nobody_else_s(demo_server: Server, orders: list[dict[str, Any]]) -> None:
    mine, theirs = orders
    key = make_key(demo_server, "client", mine["customer_id"])
    assert (await call(demo_server, key, "lookup_order", {"order_id": mine["id"]}))["result"]["id"] == mine["id"]
    found = await call(demo_server, key, "search_help_center", {"query": "how long can I return things"})
    assert found["result"]["passages"]
    rival = await rival_key(demo_server)
    for name, arguments in (
        ("lookup_order", {"order_id": theirs["id"]}),
        ("list_orders", {"customer_id": theirs["customer_id"]}),
        ("cancel_order", {"order_id": theirs["id"], "reason": "x"}),
        ("issue_refund", {"order_id": theirs["id"], "amount": "1.00", "reason": "x"}),
    ):
        assert (await call(demo_server, key, name, arguments))["code"] == "not_found"
        # Whatever the tool, another tenant finds nothing there.
        other = await call(demo_server, rival, name, arguments)
        assert other.get("code") == "not_found" or other["result"] == []


async def test_an_act_needs_consent_and_happens_once(demo_server: Server) -> None:
    staff = make_key(demo_server, "staff")
    arguments = {"sku": "SKU-0001", "quantity": 480}
    meta = {KEY: uuid.uuid4().hex}
    waiting = await call(demo_server, staff, "create_purchase_order", arguments, meta=meta)
    assert (waiting["object"], waiting["status"]) == ("approval", "pending")
    with demo_server.http() as http:
        path = f"/api/approvals/{waiting['id']}/decision"
        decided = http.post(path, json={"decision": "approve"}).raise_for_status().json()
    assert decided["effect"] == "done"
    again = [await call(demo_server, staff, "create_purchase_order", arguments, meta=meta) for _ in range(3)]
    assert {each["result"]["id"] for each in again} == {decided["result"]["id"]}


async def test_many_at_once_with_one_key_are_one(demo_server: Server, orders: list[dict[str, Any]]) -> None:
    key = make_key(demo_server, "client", orders[0]["customer_id"])
    meta = {KEY: uuid.uuid4().hex}
    made = await asyncio.gather(*(call(demo_server, key, "create_ticket", TICKET, meta=meta) for _ in range(10)))
    assert len({each["result"]["id"] for each in made}) == 1


@pytest.fixture(scope="module")
def borrower(demo_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A second Wayside, which has the shed's tools and those of the first."""
    workspace = tmp_path_factory.mktemp("borrower") / "workspace"
    workspace.mkdir(mode=0o700)
    shed = workspace.parent / "shed"
    (workspace / "wayside.toml").write_text(f"""
        [mcp.servers.shed]
        tenant = "default"
        command = "{sys.executable}"
        args = ["{shed_script}", "stdio", "{shed}"]

        [mcp.servers.first]
        tenant = "default"
        url = "{demo_server.url}/mcp"
        headers = {{Authorization = "Bearer {{secret}}"}}
        idempotent = "always"

        [mcp.servers.gone]
        tenant = "default"
        url = "http://127.0.0.1:9/mcp"
    """)
    secret = make_key(demo_server, "staff")
    environment = {"WAYSIDE_MCP__SERVERS__FIRST__SECRET": secret, "WAYSIDE_DEMO": "false"}
    with serving(workspace, **environment) as server:
        yield server, shed


async def _offered(server: Server, *names: str) -> dict[str, types.Tool]:
    async with asyncio.timeout(60):
        while not set(names) <= (offered := await tools(server, server.key)).keys():
            await asyncio.sleep(0.2)
    return offered


async def test_foreign_tools_go_through_the_same_doors(borrower: tuple[Server, Path]) -> None:
    server, shed = borrower
    offered = await _offered(server, "shed__look", "shed__put")
    assert offered["shed__look"].annotations.readOnlyHint  # type: ignore[union-attr]
    assert offered["shed__put"].annotations.openWorldHint  # type: ignore[union-attr]
    waiting = await call(server, server.key, "shed__put", {"item": "spade"}, meta={KEY: "s1"})
    assert (waiting["status"], shed.exists()) == ("pending", False)
    with server.http() as http:
        own = http.post(f"/api/approvals/{waiting['id']}/decision", json={"decision": "approve"})
        assert own.status_code == 403
        headers = {"authorization": f"Bearer {make_key(server, 'staff')}"}
        decided = http.post(
            f"/api/approvals/{waiting['id']}/decision", json={"decision": "approve"}, headers=headers
        ).raise_for_status()
    assert decided.json()["effect"] == "done"
    done = await call(server, server.key, "shed__put", {"item": "spade"}, meta={KEY: "s1"})
    assert done["result"]["text"] == "spade is in"
    assert len(shed.read_text().splitlines()) == 1
    assert (await call(server, server.key, "gone__tool", {}))["code"] == "system_unavailable"
    client_key, rival = make_key(server, "client"), await rival_key(server)
    for key in (client_key, rival):
        assert not any("__" in name for name in await tools(server, key))


async def test_one_wayside_uses_another(
    borrower: tuple[Server, Path], demo_server: Server, orders: list[dict[str, Any]]
) -> None:
    server, _ = borrower
    await _offered(server, "first__lookup_order", "first__create_ticket")
    read = await call(server, server.key, "first__lookup_order", {"order_id": orders[0]["id"]})
    assert read["result"]["structured"]["result"]["id"] == orders[0]["id"]
    waiting = await call(server, server.key, "first__create_ticket", TICKET, meta={KEY: "t1"})
    with server.http() as http:
        headers = {"authorization": f"Bearer {make_key(server, 'staff')}"}
        http.post(
            f"/api/approvals/{waiting['id']}/decision", json={"decision": "approve"}, headers=headers
        ).raise_for_status()
    done = await call(server, server.key, "first__create_ticket", TICKET, meta={KEY: "t1"})
    ticket = done["result"]["structured"]["result"]["id"]
    with demo_server.http() as http:
        assert http.get(f"/api/tickets/{ticket}").raise_for_status().json()["subject"] == TICKET["subject"]
