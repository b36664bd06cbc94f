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
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.gateway import create_app
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT, shelf, signing_keys
from core.orders import OrderFilter
from core.settings import Settings
from core.types import Audience, Role
from edge.building import Order, Ware, build
from edge.keyring import Keyring
from edge.manifest import Kind, Reach
from edge.shelf import Shelf
from tabular.eventlog import EventLog
from tabular.recommend.records import REACTIONS
from tests.fakes.segments import anomalies_candidate, promoted, segments_candidate
from tests.integration.attempts import NOBODYS, TERMS, TOOLS, VICTIM, attempts

RIVAL = "rival"
NEIGHBOUR = "CUS-00591"
# What only the owner ever said: whoever reads one of these has got through.
CANARIES = ("marzipan", "periwinkle", "sarsaparilla", "kumquat", "Tangerine", "rhubarb", "quince")
ASKED = "Do you sell marzipan with your tents?"
RUN = {"assistant_id": "wayside", "input": {"messages": [{"role": "user", "content": ASKED}]}}


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
    moment = datetime.now(UTC)
    paid = {"id": f"PAY-{moment:%H%M%S%f}", "card": "quince", "terminal": "T", "amount": "9.99"}
    paid["at"] = moment.isoformat()
    ids["payment"] = (await house.made("staff", "POST", "/api/fraud/score", paid))["transaction_id"]
    listed = {"name": "quince", "reason": "sarsaparilla"}
    await house.made("staff", "POST", "/api/fraud/lists/blocked-terminals", listed)
    ids["check"] = (await house.made("admin", "POST", "/api/drift/fraud/check"))["id"]
    ids["federation"] = f"stays-{moment:%H%M%S%f}"
    await house.made("admin", "POST", "/api/federated", {"name": ids["federation"], "about": "Who stays?", **TERMS})
    for who in ("victim", "staff"):
        await house.made(who, "POST", f"/api/federated/{ids['federation']}/enrolment", {"consent": True})
    await house.made("admin", "POST", f"/api/federated/{ids['federation']}/start")
    slate = await house.made("victim", "POST", "/api/recommendations", {"customer_id": VICTIM})
    ids["slate"], ids["recommended"] = slate["id"], slate["items"][0]["sku"]
    await with_models(house)
    ids["chunk"] = hashlib.sha256(b"The Tangerine house rule").hexdigest()
    with_bundle(Path(house.wayside.settings.workspace))
    ids["key"] = (await house.made("admin", "GET", "/api/keys"))["data"][0]["id"]
    return house


async def with_models(house: House) -> None:
    """Segments of the company's customers, and what is usual of its rows, in force; once for all houses."""
    registry, folder = house.wayside.trials.registry, Path(house.wayside.settings.workspace) / "made"
    if not {"segments", "anomalies"} & {each.model for each in await registry.models()}:
        for made in (segments_candidate(folder, "kumquat"), anomalies_candidate(folder, "rhubarb")):
            await promoted(registry, made)
    for served in (house.wayside.tabular.segments, house.wayside.tabular.anomalies):
        await served.refresh()
    assert "kumquat" in (await house.made("staff", "GET", f"/api/segments/{VICTIM}"))["words"]
    await house.made("staff", "POST", "/api/anomalies/score", {"rows": [{"rhubarb": 100}]})


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


def filled(value: Any, ids: dict[str, str]) -> Any:
    text = json.dumps(value)
    for name, id_ in ids.items():
        text = text.replace("{" + name + "}", id_)
    return json.loads(text)


async def everything(house: House) -> dict[str, Any]:
    """What the victim and their company see of their own."""
    ids = house.ids
    company = (
        "/api/documents",
        "/api/keys",
        "/api/purchase-orders",
        "/api/approvals",
        "/api/feedback",
        "/api/fraud/decisions",
        "/api/fraud/rules",
        *(f"/api/fraud/lists/{each}" for each in ("blocked-cards", "blocked-terminals", "trusted-cards")),
        "/api/drift",
    )
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
    for part in ("", "/work"):
        path = f"/api/federated/{ids['federation']}{part}"
        seen[path] = (await house.call("victim", "GET", path)).json()
    assert seen[path]["asked"] == "train"
    seen["ticket"] = (await house.call("admin", "GET", f"/api/tickets/{ids['ticket']}")).json()
    log = EventLog(house.wayside.database)
    seen["reactions"] = [each.event.id async for each in log.read(TENANT, tuple(REACTIONS))]
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
