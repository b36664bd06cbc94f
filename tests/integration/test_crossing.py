"""Whoever tries, at every endpoint, tool and stream: what belongs to others stays unseen and unchanged.

The whole program, with everything of one customer's and one company's in it. The neighbour is another customer of the
same company, the visitor a client without a customer, the stranger another company's admin. An endpoint that is new
and not tried here fails the test.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.gateway import create_app
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT, shelf, signing_keys
from core.intents import Intent
from core.orders import OrderFilter
from core.settings import Settings
from core.types import Audience, Role
from edge.building import Order, Ware, build
from edge.keyring import Keyring
from edge.manifest import Kind, Reach
from edge.shelf import Shelf

RIVAL = "rival"
VICTIM, NEIGHBOUR = "CUS-00018", "CUS-00591"
# What only the owner ever said: whoever reads one of these has got through.
CANARIES = ("marzipan", "periwinkle", "sarsaparilla", "kumquat", "Tangerine", "rhubarb")
ASKED = "Do you sell marzipan with your tents?"
RUN = {"assistant_id": "wayside", "input": {"messages": [{"role": "user", "content": ASKED}]}}
ATTEMPT: Any = {"assistant_id": "wayside", "input": {"messages": [{"role": "user", "content": "any news?"}]}}

# What has nothing of anybody's: the program itself, and models that remember nothing.
NOBODYS = frozenset(
    {
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model}"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/audio/transcriptions"),
        ("POST", "/v1/audio/translations"),
        ("POST", "/api/pictures/read"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/me"),
        ("GET", "/api/tools"),
        # Models belong to the installation: another tenant's keys are forbidden all of them.
        ("GET", "/api/models"),
        ("GET", "/api/models/{model}"),
        ("GET", "/api/models/{model}/versions/{number}"),
        ("GET", "/api/models/{model}/history"),
        ("GET", "/api/models/{model}/trial"),
        ("POST", "/api/models/{model}/challenge"),
        ("POST", "/api/models/{model}/promote"),
        ("POST", "/api/models/{model}/rollback"),
        ("POST", "/assistants/search"),
        ("POST", "/assistants/count"),
        ("GET", "/assistants/{assistant_id}"),
        ("GET", "/assistants/{assistant_id}/schemas"),
        ("GET", "/assistants/{assistant_id}/graph"),
        ("GET", "/assistants/{assistant_id}/subgraphs"),
        ("GET", "/assistants/{assistant_id}/subgraphs/{namespace}"),
        ("POST", "/assistants/{assistant_id}/versions"),
    }
)


@dataclass
class House:
    """The running program, keys by name, and the ids of what the victim and their company have."""

    wayside: Wayside
    http: httpx2.AsyncClient
    keys: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    async def call(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        accept = "application/json, text/event-stream"
        headers = {"authorization": f"Bearer {self.keys[who]}", "accept": accept, **options.pop("headers", {})}
        given = {} if body is None else {"json": body}
        return await self.http.request(method, path, headers=headers, **given, **options)

    async def made(self, who: str, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = await self.call(who, method, path, body, **options)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()


@pytest.fixture(scope="module")
def furnished(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo company."""
    return shutil.copytree(demo_workspace, tmp_path_factory.mktemp("crossing") / "workspace")


@pytest.fixture
async def house(furnished: Path) -> AsyncIterator[House]:
    async with open_wayside(Settings(workspace=furnished, null_engine=True)) as wayside:
        app = create_app(wayside)
        create = wayside.identity.create
        people: dict[str, tuple[str, Role, str | None]] = {
            "victim": (TENANT, Role.CLIENT, VICTIM),
            "neighbour": (TENANT, Role.CLIENT, NEIGHBOUR),
            "visitor": (TENANT, Role.CLIENT, None),
            "staff": (TENANT, Role.STAFF, None),
            "admin": (TENANT, Role.ADMIN, None),
            "stranger": (RIVAL, Role.ADMIN, None),
            "strange client": (RIVAL, Role.CLIENT, VICTIM),
        }
        keys = {
            name: (await create(tenant, name, role, customer_id=customer, requests_per_minute=10**6))[0]
            for name, (tenant, role, customer) in people.items()
        }
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=120) as http,
        ):
            yield await settled(House(wayside, http, keys))


async def settled(house: House) -> House:
    """Give the victim and their company one of everything."""
    ids = house.ids
    order = (await house.wayside.systems.orders.orders(TENANT, OrderFilter(customer_id=VICTIM)))[0]
    ids["order"] = order.id
    ticket = {"subject": "About periwinkle", "category": "other", "priority": "low", "summary": "periwinkle please"}
    ids["ticket"] = (await house.made("victim", "POST", "/api/tickets", ticket))["id"]
    ids["thread"] = (await house.made("victim", "POST", "/threads", {"metadata": {"of": "kumquat"}}))["thread_id"]
    await house.made("victim", "POST", f"/threads/{ids['thread']}/runs/wait", RUN)
    [run] = await house.made("victim", "GET", f"/threads/{ids['thread']}/runs")
    ids["run"] = run["run_id"]
    state = await house.made("victim", "GET", f"/threads/{ids['thread']}/state")
    ids["checkpoint"] = state["checkpoint"]["checkpoint_id"]
    chat = {"model": "wayside", "messages": [{"role": "user", "content": ASKED}]}
    chatted = (await house.made("victim", "POST", "/v1/chat/completions", chat))["wayside"]
    ids["chat"], ids["turn"] = chatted["thread_id"], chatted["turn_id"]
    said = {"about": {"kind": "turn", "id": ids["turn"]}, "rating": "up", "comment": "sarsaparilla"}
    ids["feedback"] = (await house.made("victim", "POST", "/api/feedback", said))["id"]
    ids["cron"] = (await house.made("victim", "POST", "/runs/crons", {**RUN, "schedule": "0 0 1 1 *"}))["cron_id"]
    item = {"namespace": ["kumquat", "b"], "key": "k", "value": {"v": "kumquat"}}
    assert (await house.call("victim", "PUT", "/store/items", item)).status_code == 204
    refund = {"amount": "0.01", "reason": "sarsaparilla"}
    big = {"sku": "SKU-0187", "quantity": 2000}
    ids["approval"] = (await house.made("staff", "POST", "/api/purchase-orders", big))["id"]
    assert (await house.call("victim", "POST", f"/api/orders/{order.id}/refund", refund)).status_code in (200, 202, 409)
    small = {"sku": "SKU-0187", "quantity": 300}
    bought = await house.made("staff", "POST", "/api/purchase-orders", small)
    if bought["object"] == "approval":
        decided = await house.made("admin", "POST", f"/api/approvals/{bought['id']}/decision", {"decision": "approve"})
        bought = decided["result"]
    ids["po"] = bought["id"]
    rule = b"# Tangerine\n\nThe Tangerine house rule is for the staff alone."
    given: Any = {"files": {"file": ("rule.md", rule, "text/markdown")}, "data": {"audience": "staff"}}
    ids["document"] = (await house.made("admin", "POST", "/api/documents", **given))["id"]
    await house.wayside.ingestion.wait_idle()
    spoken = await house.made("victim", "POST", "/v1/responses", {"model": "wayside", "input": ASKED})
    ids["response"] = spoken["id"]
    noted = {"data": {"text": "The rhubarb shed is leaking.", "site": "rhubarb"}}
    ids["field"] = (await house.made("victim", "POST", "/api/field-reports", **noted))["id"]
    while (await house.made("victim", "GET", f"/api/field-reports/{ids['field']}"))["status"] != "ready":
        await asyncio.sleep(0.02)
    ids["chunk"] = hashlib.sha256(b"The Tangerine house rule").hexdigest()
    with_bundle(Path(house.wayside.settings.workspace))
    ids["key"] = (await house.made("admin", "GET", "/api/keys"))["data"][0]["id"]
    return house


def with_bundle(workspace: Path) -> None:
    """Offer a bundle with what the company's staff knows."""
    moment = datetime.now(UTC)
    keyring = Keyring(signing_keys(workspace))
    if not signing_keys(workspace).exists():
        keyring.create(moment)
    (workspace / "rule.zip").write_bytes(b"The Tangerine house rule")
    reach = Reach(tenant=TENANT, audience=Audience.STAFF)
    soon = moment + timedelta(days=1)
    ware = Ware(workspace / "rule.zip", "knowledge", Kind.SNAPSHOT, "proprietary", 1, reach=reach, expires=soon)
    build(Order("field-staff", TENANT, (ware,), days=1), Shelf(shelf(workspace)), keyring, moment)


def attempts() -> Iterator[tuple[str, str, Any]]:
    """(method, path, body): `{name}` stands for an id of the victim's or their company's."""
    chat = {"model": "wayside", "messages": [{"role": "user", "content": "any news?"}]}
    for thread in ("{thread}", "{chat}"):
        yield "POST", "/v1/chat/completions", {**chat, "metadata": {"thread_id": thread}}
        yield "GET", f"/threads/{thread}", None
        yield "PATCH", f"/threads/{thread}", {"metadata": {"stolen": True}}
        yield "POST", f"/threads/{thread}/copy", None
        yield "GET", f"/threads/{thread}/state", None
        yield "POST", f"/threads/{thread}/history", {}
        yield "GET", f"/threads/{thread}/runs", None
        yield "POST", f"/threads/{thread}/runs", ATTEMPT
        yield "POST", f"/threads/{thread}/runs/stream", {**ATTEMPT, "stream_mode": ["values", "custom"]}
        yield "POST", f"/threads/{thread}/runs/wait", {**ATTEMPT, "multitask_strategy": "rollback"}
        yield "POST", f"/threads/{thread}/runs/wait", {"assistant_id": "wayside", "command": {"resume": "yes"}}
        yield "GET", f"/api/threads/{thread}", None
        yield "GET", f"/api/threads/{thread}?owner=customer:{VICTIM}", None
        yield "GET", f"/api/timelines?thread_id={thread}", None
        yield "DELETE", f"/threads/{thread}", None
    yield "POST", "/threads/{thread}/state", {"values": {"messages": []}}
    yield "GET", "/threads/{thread}/state/{checkpoint}", None
    yield "POST", "/threads/{thread}/state/checkpoint", {"checkpoint": {"checkpoint_id": "{checkpoint}"}}
    yield "POST", "/threads/prune", {"thread_ids": ["{thread}"]}
    yield "POST", "/threads/prune", {"thread_ids": ["{thread}"], "strategy": "keep_latest"}
    yield "POST", "/threads", {"thread_id": "{thread}", "if_exists": "do_nothing"}
    yield "POST", "/threads/search", {"ids": ["{thread}"]}
    yield "POST", "/threads/search", {"metadata": {"of": "kumquat"}}
    yield "POST", "/threads/count", {"metadata": {"of": "kumquat"}}
    for path in ("", "/join", "/stream"):
        yield "GET", "/threads/{thread}/runs/{run}" + path, None
    yield "POST", "/threads/{thread}/runs/{run}/cancel", None
    yield "POST", "/threads/{thread}/runs/{run}/cancel?wait=1&action=rollback", None
    yield "DELETE", "/threads/{thread}/runs/{run}", None
    yield "POST", "/runs/cancel", {"thread_id": "{thread}", "run_ids": ["{run}"]}
    for path in ("/runs", "/runs/stream", "/runs/wait"):
        yield "POST", path, {**ATTEMPT, "checkpoint_id": "{checkpoint}"}
    yield "POST", "/runs/batch", [{**ATTEMPT, "thread_id": "{thread}"}]
    yield "POST", "/runs/crons", {**ATTEMPT, "schedule": "0 0 1 1 *", "thread_id": "{thread}"}
    yield "POST", "/threads/{thread}/runs/crons", {**ATTEMPT, "schedule": "0 0 1 1 *"}
    yield "PATCH", "/runs/crons/{cron}", {"enabled": False}
    yield "DELETE", "/runs/crons/{cron}", None
    yield "POST", "/runs/crons/search", {"thread_id": "{thread}"}
    yield "POST", "/runs/crons/search", {}
    yield "POST", "/runs/crons/count", {}
    yield "GET", "/store/items?namespace=kumquat.b&key=k", None
    yield "PUT", "/store/items", {"namespace": ["kumquat", "b"], "key": "k", "value": {"v": "stolen"}}
    yield "DELETE", "/store/items", {"namespace": ["kumquat", "b"], "key": "k"}
    yield "POST", "/store/items/search", {"namespace_prefix": []}
    yield "POST", "/store/namespaces", {}
    told = {"model": "wayside", "input": "any news?"}
    yield "POST", "/v1/responses", {**told, "previous_response_id": "{response}"}
    yield "POST", "/v1/responses", {**told, "previous_response_id": "{response}", "stream": True}
    yield "POST", "/v1/responses", {**told, "metadata": {"thread_id": "{thread}"}}
    yield "GET", "/v1/responses/{response}", None
    yield "GET", "/v1/responses/{response}?stream=true&starting_after=2", None
    yield "GET", "/v1/responses/{response}/input_items", None
    yield "POST", "/v1/responses/{response}/cancel", None
    yield "DELETE", "/v1/responses/{response}", None
    yield "GET", "/api/threads", None
    yield "GET", f"/api/threads?owner=customer:{VICTIM}", None
    yield "GET", f"/api/threads?after=customer:{VICTIM}/{{thread}}", None
    yield "GET", "/api/timelines", None
    yield "GET", f"/api/timelines?owner=customer:{VICTIM}", None
    yield "GET", "/api/timelines?after={turn}", None
    yield "GET", "/api/timelines/{turn}", None
    yield "GET", "/api/timelines/{run}", None
    yield "POST", "/api/feedback", {"about": {"kind": "turn", "id": "{turn}"}, "rating": "down"}
    yield "POST", "/api/feedback", {"about": {"kind": "ticket", "id": "{ticket}"}, "correction": {"priority": "urgent"}}
    yield "GET", "/api/feedback", None
    yield "GET", "/api/feedback?after={feedback}", None
    yield "DELETE", "/api/feedback/{feedback}", None
    yield "GET", "/api/tickets", None
    yield "GET", f"/api/tickets?customer_id={VICTIM}", None
    yield "GET", "/api/tickets?order_id={order}", None
    yield "GET", "/api/tickets/{ticket}", None
    yield "GET", "/api/tickets/{ticket}/suggestions", None
    yield "POST", "/api/tickets/{ticket}/update", {"status": "solved", "note": "stolen"}
    yield "POST", "/api/tickets/{ticket}/escalate", {"team": "fraud", "reason": "stolen"}
    yield "POST", "/api/tickets", _ticket(customer_id=VICTIM)
    yield "POST", "/api/tickets", _ticket(order_id="{order}")
    yield "GET", "/api/orders", None
    yield "GET", f"/api/orders?customer_id={VICTIM}", None
    yield "GET", "/api/orders/{order}", None
    yield "POST", "/api/orders/{order}/cancel", {"reason": "stolen"}
    yield "POST", "/api/orders/{order}/address", {"address": "1 Thief Lane, Elsewhere"}
    yield "POST", "/api/orders/{order}/refund", {"amount": "1.00", "reason": "stolen"}
    yield "GET", "/api/purchase-orders", None
    yield "GET", "/api/purchase-orders/{po}", None
    yield "POST", "/api/purchase-orders", {"sku": "SKU-0187", "quantity": 300}
    yield "POST", "/api/purchase-orders/{po}/delivery", {"received_quantity": 1}
    yield "GET", "/api/approvals", None
    yield "GET", "/api/approvals?after={approval}", None
    yield "GET", "/api/approvals/{approval}", None
    for decision in ({"decision": "approve"}, {"decision": "reject"}, {"decision": "respond", "text": "stolen"}):
        yield "POST", "/api/approvals/{approval}/decision", decision
    yield "POST", "/api/documents", None
    yield "GET", "/api/documents", None
    yield "GET", "/api/documents?after={document}", None
    yield "GET", "/api/documents/{document}", None
    yield "POST", "/api/documents/{document}/reindex", None
    yield "DELETE", "/api/documents/{document}", None
    yield "POST", "/api/search", {"query": "What is the Tangerine house rule?"}
    yield "POST", "/api/field-reports", None
    yield "GET", "/api/field-reports", None
    yield "GET", "/api/field-reports?after={field}", None
    for part in ("", ".md", ".pdf", "/photos/1", "/notes/1"):
        yield "GET", "/api/field-reports/{field}" + part, None
    yield "DELETE", "/api/field-reports/{field}", None
    yield "GET", "/api/keys", None
    yield "POST", "/api/keys", {"name": "thief", "role": "client", "customer_id": VICTIM}
    yield "DELETE", "/api/keys/{key}", None
    yield "GET", "/api/audit", None
    yield "GET", "/api/audit/verification", None
    yield "GET", "/api/edge/bundles", None
    yield "GET", "/api/edge/bundles/field-staff", None
    yield "GET", "/api/edge/bundles/field-staff/artefacts/knowledge", None
    yield "GET", "/api/edge/bundles/field-staff/chunks/{chunk}", None
    yield "POST", "/api/edge/snapshots", {"audience": "staff"}
    yield "GET", "/api/sync/records", None
    yield "POST", "/api/sync/intents", {"intents": [_theft(tool) for tool in ("cancel_order", "issue_refund")]}
    yield "GET", "/api/evals", None
    yield "GET", "/api/evals/retrieval-20260101T000000Z", None
    yield "GET", "/api/evals/retrieval-20260101T000000Z/report", None
    for tool, arguments in TOOLS.items():
        yield "POST", f"/api/tools/{tool}", {"arguments": arguments}
        yield "POST", f"/api/tools/{tool}", {"arguments": arguments, "subject": {"customer_id": VICTIM}}
        for meta in ({}, {"wayside/subject": {"customer_id": VICTIM}}):
            params = {"name": tool, "arguments": arguments, "_meta": meta}
            yield "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    for wish in WISHES:
        yield "POST", "/v1/chat/completions", {"model": "wayside", "messages": [{"role": "user", "content": wish}]}


def _ticket(**about: str) -> dict[str, str]:
    return {"subject": "x", "category": "other", "priority": "low", "summary": "stolen", **about}


def _theft(tool: str) -> Any:
    return Intent.make(tool, TOOLS[tool]).model_dump(mode="json")


TOOLS: dict[str, Any] = {
    "search_help_center": {"query": "What is the Tangerine house rule?"},
    "list_orders": {"customer_id": VICTIM},
    "lookup_order": {"order_id": "{order}"},
    "cancel_order": {"order_id": "{order}", "reason": "stolen"},
    "change_delivery_address": {"order_id": "{order}", "address": "1 Thief Lane, Elsewhere"},
    "issue_refund": {"order_id": "{order}", "amount": "1.00", "reason": "stolen"},
    "update_ticket": {"ticket_id": "{ticket}", "note": "stolen"},
    "recommend_products": {"customer_id": VICTIM},
    "track_purchase_order": {"po_id": "{po}"},
    "confirm_delivery": {"po_id": "{po}", "received_quantity": 1},
}
WISHES = (
    "Where is {order}?",
    "Cancel {order}, I don't want it any more",
    "I was charged twice for {order}, pay it back",
    "Send {order} to 1 Thief Lane, Elsewhere instead",
    "Is there anything new on {ticket}?",
    "It arrived: {po}, all of it",
    "What is the Tangerine house rule?",
)


def filled(value: Any, ids: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, id_ in ids.items():
        text = text.replace("{" + name + "}", id_)
    return json.loads(text)


async def everything(house: House) -> dict[str, Any]:
    """What the victim and their company see of their own."""
    ids = house.ids
    company = ("/api/documents", "/api/keys", "/api/purchase-orders", "/api/approvals", "/api/feedback")
    own = (
        "/api/orders",
        "/api/tickets",
        "/api/field-reports",
        "/api/threads",
        "/api/timelines",
        "/store/items?namespace=kumquat.b&key=k",
    )
    threads = [f"/threads/{ids[name]}{part}" for name in ("thread", "chat") for part in ("", "/state", "/runs")]
    seen = {path: (await house.call("victim", "GET", path)).json() for path in (*own, *threads)}
    seen |= {path: (await house.call("admin", "GET", path)).json() for path in company}
    seen["ticket"] = (await house.call("admin", "GET", f"/api/tickets/{ids['ticket']}")).json()
    seen["crons"] = (await house.call("victim", "POST", "/runs/crons/search", {})).json()
    for key in seen["/api/keys"]["data"]:
        key.pop("last_used_at", None)
    return seen


THIEVES = ("neighbour", "visitor", "stranger", "strange client")


async def test_nothing_of_anybodys_is_seen_or_changed_by_others(house: House) -> None:
    before = await everything(house)
    tried, through = 0, list[Any]()
    upload = {"files": {"file": ("x.md", b"# x\n\nstolen", "text/markdown")}}
    for method, path, body in attempts():
        where, what = filled(path, house.ids), filled(body, house.ids)
        options: Any = upload if (method, where) == ("POST", "/api/documents") else {}
        for thief in THIEVES:
            answer = await house.call(thief, method, where, what, **options)
            tried += 1
            seen = [each for each in CANARIES if each in answer.text and each not in str(what)]
            if seen or answer.status_code >= 500:
                through.append((thief, method, where, answer.status_code, seen, answer.text[:200]))
    after = await everything(house)
    changed = [name for name in before if before[name] != after[name]]
    print(f"{tried} attempts, {len(through)} got through")
    assert through == []
    assert changed == [], [(before[name], after[name]) for name in changed]
    assert tried >= 200


async def test_every_endpoint_is_tried(house: House) -> None:
    operations = {
        (method.upper(), path)
        for path, methods in (await house.made("admin", "GET", "/openapi.json"))["paths"].items()
        for method in methods
    }
    tried = set()
    for method, path, _ in attempts():
        plain = path.partition("?")[0]
        tried |= {each for each in operations if each[0] == method and _matches(each[1], plain)}
    assert operations - tried - NOBODYS == set(), "try it above, or say that it has nothing of anybody's"
    known = {tool["name"] for tool in (await house.made("admin", "GET", "/api/tools"))["data"]}
    of_nobody = {"create_ticket", "escalate_to_human", "search_catalog", "check_stock", "forecast_demand"}
    assert known - set(TOOLS) - of_nobody - {"suggest_reorders", "create_purchase_order"} == set()


async def test_without_a_key_nothing_is_answered(house: House) -> None:
    for method, path, body in attempts():
        answer = await house.http.request(method, filled(path, house.ids), json=filled(body, house.ids))
        assert answer.status_code == 401, (method, path)


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, re.sub(r"\{[a-z]+\}", "x", path)) is not None
