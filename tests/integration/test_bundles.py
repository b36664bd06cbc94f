"""Bundles over HTTP: who may have which, ranges of real files, and a device behind a connection that breaks."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.bundle_client import BundleClient
from app.workspace import shelf, signing_keys
from core.database import now
from core.errors import ApiError, ArtefactChanged, DownloadFailed, NotFound
from core.types import Audience, Role
from edge.building import Order, Ware, build
from edge.installing import Device
from edge.keyring import Keyring
from edge.manifest import Kind, Manifest, Reach
from edge.shelf import Shelf
from edge.signing import Envelope, Trust
from tests.fakes.breaking import breaking
from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway, gateway, listening

MODEL = random.Random(3).randbytes(300_000)
STAFFS = b"what the staff knows"


class Company:
    """A gateway with a company's bundles: `assistant` for everybody, `office` with what the staff knows."""

    def __init__(self, served: Gateway, workspace: Path) -> None:
        self.served = served
        self.shelf = Shelf(shelf(workspace))
        self.keyring = Keyring(signing_keys(workspace))
        self.keyring.create(now())
        self._files = workspace / "files"
        self._files.mkdir()
        self.offer(MODEL)
        self._put("office", self._ware("knowledge", STAFFS, Kind.SNAPSHOT, audience=Audience.STAFF))

    def offer(self, model: bytes) -> Manifest:
        return self._put("assistant", self._ware("chat", model, Kind.GGUF))

    def for_customer(self, customer: str) -> None:
        ware = self._ware("knowledge", b"theirs", Kind.SNAPSHOT, audience=Audience.PUBLIC)
        assert ware.reach is not None
        self._put("theirs", replace(ware, reach=ware.reach.model_copy(update={"customer": customer})))

    def _put(self, name: str, ware: Ware) -> Manifest:
        return build(Order(name, TENANT, (ware,), days=1), self.shelf, self.keyring, now())

    def _ware(self, name: str, content: bytes, kind: Kind, audience: Audience | None = None) -> Ware:
        path = self._files / name
        path.write_bytes(content)
        reach = None if audience is None else Reach(tenant=TENANT, audience=audience)
        expires = None if audience is None else now().replace(year=2099)
        return Ware(path, name, kind, "MIT", 100, reach=reach, expires=expires)

    async def get(self, path: str, role: str = "client", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.served.call("GET", f"/api/edge/bundles{path}", role=role, headers=named)


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    async with gateway(tmp_path) as served:
        yield Company(served, tmp_path)


async def test_callers_see_the_bundles_that_they_may_have(company: Company) -> None:
    for role, seen in (("client", ["assistant"]), ("staff", ["assistant", "office"]), ("stranger", [])):
        listed = (await company.get("", role)).json()["data"]
        assert [each["name"] for each in listed] == seen
        for name in ("assistant", "office"):
            found = await company.get(f"/{name}", role)
            assert found.status_code == (200 if name in seen else 404)
    staffs = hashlib.sha256(STAFFS).hexdigest()
    for part in ("", "/artefacts/knowledge", f"/chunks/{staffs}"):
        assert (await company.get(f"/office{part}", "staff")).status_code == 200
        for thief in ("client", "stranger"):
            refused = await company.get(f"/office{part}", thief)
            assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
            assert STAFFS not in refused.content
    # One that is not there, and one that is not for the caller, are not told apart.
    missing, hidden = await company.get("/nothing"), await company.get("/office")
    assert missing.json()["message"].replace("nothing", "office") == hidden.json()["message"]


async def test_a_customers_bundle_is_that_customers(company: Company) -> None:
    company.for_customer("CUS-1")
    create = company.served.parts.identity.create
    for customer, status in (("CUS-1", 200), ("CUS-2", 404)):
        company.served.keys[customer], _ = await create(TENANT, customer, Role.CLIENT, customer_id=customer)
        assert (await company.get("/theirs/artefacts/knowledge", customer)).status_code == status
    company.served.keys["rival"], _ = await create(OTHER_TENANT, "rival", Role.CLIENT, customer_id="CUS-1")
    assert (await company.get("/theirs", "rival")).status_code == 404


async def test_the_manifest_is_what_was_signed(company: Company) -> None:
    answer = await company.get("/assistant")
    key = company.keyring.record().keys[0].key
    made, _ = Trust.of(key).verify(Envelope.parse(answer.content))
    assert answer.headers["content-type"] == "application/json"
    [listed] = (await company.get("")).json()["data"]
    assert (listed["etag"], listed["counter"]) == (answer.headers["etag"], made.counter)
    assert listed["artefacts"] == [
        {"id": "chat", "kind": "gguf", "runtime": "llama.cpp", "size": len(MODEL), "card": {}}
    ]
    again = await company.get("/assistant", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    company.offer(MODEL + b"!")
    assert (await company.get("/assistant", if_none_match=answer.headers["etag"])).status_code == 200


async def test_an_artefact_is_given_in_ranges_and_chunks(company: Company) -> None:
    etag = f'"{hashlib.sha256(MODEL).hexdigest()}"'
    whole = await company.get("/assistant/artefacts/chat")
    assert (whole.content, whole.headers["etag"]) == (MODEL, etag)
    some = await company.get("/assistant/artefacts/chat", range="bytes=1000-1999", if_range=etag)
    assert (some.status_code, some.content) == (206, MODEL[1000:2000])
    assert some.headers["content-range"] == f"bytes 1000-1999/{len(MODEL)}"
    behind = await company.get("/assistant/artefacts/chat", range=f"bytes={len(MODEL)}-")
    assert (behind.status_code, behind.json()["code"]) == (416, "range_not_satisfiable")
    pieces = []
    for chunk in company.shelf.get(TENANT, "assistant").manifest.artefacts[0].chunks:
        answer = await company.get(f"/assistant/chunks/{chunk.sha256}")
        assert "immutable" in answer.headers["cache-control"]
        pieces.append(answer.content)
    assert b"".join(pieces) == MODEL
    assert (await company.get(f"/assistant/chunks/{'0' * 64}")).status_code == 404
    assert (await company.get("/assistant/artefacts/other")).status_code == 404
    assert (await company.get("/assistant/artefacts/..%2f..%2fmanifest.json")).status_code in (400, 404)


async def test_a_snapshot_needs_an_engineer_and_something_to_show(company: Company) -> None:
    call = company.served.call
    assert (await call("POST", "/api/edge/snapshots", role="staff", json={})).status_code == 403
    assert (await call("POST", "/api/edge/snapshots", role="engineer", json={})).status_code == 404
    assert (await call("POST", "/api/edge/snapshots", role="engineer", json={"days": 0})).status_code == 400


async def test_a_device_pulls_over_a_connection_that_breaks(company: Company, tmp_path: Path) -> None:
    device = Device.create(tmp_path / "device", TENANT, company.keyring.record().keys[0].key)
    chance = random.Random(5)
    limits = (chance.choice([0, 1, 200, 5_000, 60_000]) for _ in range(10**6))
    fetched = list[int]()

    def pull(url: str) -> bytes:
        while True:
            with BundleClient(url, company.served.keys["client"]) as client:
                try:
                    content = client.manifest("assistant")
                    made = device.install(content, client.source("assistant"), now(), pause=lambda _: None)
                except DownloadFailed:
                    continue
            fetched.append(made.fetched)
            return made.path("chat").read_bytes()

    async with listening(company.served) as url, breaking(url, limits) as wire:
        assert await asyncio.to_thread(pull, wire) == MODEL
        changed = MODEL[:150_000] + b"a few bytes more" + MODEL[150_000:]
        company.offer(changed)
        assert await asyncio.to_thread(pull, url) == changed
    assert fetched[-1] < 0.3 * len(MODEL), "only what is new comes over the network"


async def test_the_client_tells_a_refusal_from_a_broken_wire(company: Company, tmp_path: Path) -> None:
    device = Device.create(tmp_path / "device", TENANT, company.keyring.record().keys[0].key)

    def run(url: str) -> None:
        with BundleClient(url, "wsk_nobodys") as client, pytest.raises(ApiError):
            client.names()
        with BundleClient("http://127.0.0.1:1", "x") as client, pytest.raises(DownloadFailed, match="reached"):
            client.names()
        with BundleClient(url, company.served.keys["client"]) as client:
            assert client.names() == ["assistant"]
            with pytest.raises(ApiError, match="office"):
                client.manifest("office")
            content = client.manifest("assistant")
            company.offer(b"quite another model")
            with pytest.raises(ArtefactChanged, match="manifest again"):
                device.install(content, client.source("assistant"), now())
            with pytest.raises(ArtefactChanged):
                device.install(content, client.source("nothing"), now())
            assert device.install(client.manifest("assistant"), client.source("assistant"), now()).fetched == 19
        with pytest.raises(NotFound):
            device.installed("office", now())

    async with listening(company.served) as url:
        await asyncio.to_thread(run, url)
