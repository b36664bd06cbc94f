"""The server is gone, and the device carries on; when it is back, what was asked for meanwhile has happened once."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bundle_client import BundleClient
from app.device.cloud import HttpCloud
from app.device.program import DeviceProgram, open_program
from app.gateway import create_app
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT, shelf, signing_keys
from core.database import now
from core.errors import ApiError, GatewayUnreachable, NotFound
from core.intents import Intent, State
from core.modelstore import ModelStore
from core.orders import ChangeAddress, OrderFilter, OrderStatus
from core.settings import Settings
from core.types import Audience, Role, Verdict
from edge.building import Order, Ware, build
from edge.installing import Device
from edge.keyring import Keyring
from edge.manifest import Kind, Reach
from edge.outbox import Outbox
from edge.shelf import Shelf
from edge.student import SHIPPED
from edge.syncing import synchronise
from tests.fakes.breaking import breaking
from tests.fakes.gateway import listening_on

BUNDLE = "assistant"
QUESTIONS = (
    "How much is normal shipping to Germany?",
    "How long can I return a tent?",
    "How do I cancel an order?",
    "Which payment methods do you take?",
    "How much does express delivery cost?",
    "Can you send a tent to Tenerife in the Canaries?",
    "How do I reset my password?",
    "Do gift cards expire?",
    "How do I wash a down sleeping bag?",
    "How do I delete my account?",
)


@dataclass
class Shop:
    """The demo company: a workspace, a customer with an order that can still be changed, and a device of theirs."""

    workspace: Path
    device: Path
    customer: str = ""
    order: str = ""
    key: str = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Wayside, str]]:
        """The server, as long as the block runs."""
        async with open_wayside(Settings(workspace=self.workspace, null_engine=True)) as wayside:
            app = create_app(wayside)
            async with app.router.lifespan_context(app), listening_on(app) as url:
                yield wayside, url

    @asynccontextmanager
    async def program(self, url: str = "http://127.0.0.1:9", *, writes: bool = False) -> AsyncIterator[DeviceProgram]:
        """The device's program; without a URL it finds nobody."""
        with HttpCloud(url, self.key) as cloud:
            async with open_program(self.device, BUNDLE, customer=self.customer, cloud=cloud, writes=writes) as program:
                yield program


@pytest.fixture(scope="module")
def furnished(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop before anything happens."""
    folder = tmp_path_factory.mktemp("offline")
    return asyncio.run(_furnish(shutil.copytree(demo_workspace, folder / "workspace"), folder / "device"))


@pytest.fixture
def shop(furnished: Shop, tmp_path: Path) -> Shop:
    workspace = shutil.copytree(furnished.workspace, tmp_path / "workspace")
    return replace(furnished, workspace=workspace, device=shutil.copytree(furnished.device, tmp_path / "device"))


async def _furnish(workspace: Path, device_folder: Path) -> Shop:
    made = Shop(workspace, device_folder)
    async with made.open() as (wayside, url):
        placed = [
            each
            for each in await wayside.systems.orders.orders(TENANT, OrderFilter(limit=1000))
            if each.status is OrderStatus.PLACED
        ]
        made.customer, made.order = placed[0].customer_id, placed[0].id
        made.key, _ = await wayside.identity.create(TENANT, "phone", Role.CLIENT, customer_id=made.customer)
        keyring = Keyring(signing_keys(workspace))
        keyring.create(now())
        Device.create(device_folder, TENANT, keyring.record().keys[0].key)
        await _install(made, wayside, url)
        async with made.program(url) as program:
            assert (await program.synchronise()).news == ()
    return made


async def _install(shop: Shop, wayside: Wayside, url: str, *more: Ware) -> None:
    """Build a bundle and install it on the device, the newest one wherever there is one."""
    packed = await wayside.snapshots.make(TENANT, Audience.PUBLIC, 7)
    keyring = Keyring(signing_keys(shop.workspace))
    reach = Reach(tenant=TENANT, audience=Audience.PUBLIC)
    wares = (
        Ware(packed.path, "knowledge", Kind.SNAPSHOT, "proprietary", 10**7, reach=reach, expires=packed.card.expires),
        Ware(SHIPPED, "student", Kind.TFLITE, "Apache-2.0", 10**6),
        Ware(SHIPPED.with_suffix(".json"), "student-card", Kind.DATA, "Apache-2.0", 10**4),
        *more,
    )
    build(Order(BUNDLE, TENANT, wares, days=30), Shelf(shelf(shop.workspace)), keyring, now())
    device = Device(shop.device)

    def install() -> None:
        with BundleClient(url, shop.key) as bundles:
            device.install(bundles.manifest(BUNDLE), bundles.source(BUNDLE), now())

    await asyncio.to_thread(install)


async def address(wayside: Wayside, order: str) -> str:
    [found] = await wayside.systems.orders.orders(TENANT, OrderFilter(order_id=order))
    return found.address


async def test_offline_it_answers_with_citations_and_what_is_asked_for_happens_once(shop: Shop) -> None:
    wish = f"Please change the delivery address of {shop.order} to 5 Mill Lane, Bristol BS1 4DJ"
    async with shop.program() as program:
        for number, question in enumerate(QUESTIONS):
            answer = await program.ask(question, f"q{number}")
            assert not answer.declined, question
            assert answer.citations and all(each.quote for each in answer.citations), question
        noted = await program.ask(wish, "order")
        assert "I have noted it down" in noted.text
        assert "Still waiting for a network" in (await program.ask("any news?", "order")).text
        with pytest.raises(GatewayUnreachable):
            await program.synchronise(pause=lambda _: None)
        [kept] = program.pending()
        assert kept.settlement is None
    # The program was closed, and perhaps the device with it: what was noted down is there.
    async with shop.open() as (wayside, url):
        before = await address(wayside, shop.order)
        async with shop.program(url) as program:
            [settled] = (await program.synchronise()).news
            assert settled.state is State.APPLIED
            assert "5 Mill Lane" in (await address(wayside, shop.order)) != before
            assert program.pending() == []
            assert "now goes to: 5 Mill Lane" in (await program.ask("any news?", "order")).text
            # Somebody else changes it afterwards; whatever comes again from the device undoes nothing.
            await wayside.systems.orders.act(TENANT, "other", ChangeAddress(shop.order, "1 Quay, Hull HU1 2AB"))
            with HttpCloud(url, shop.key) as cloud:
                again = await asyncio.to_thread(cloud.settle, [kept.intent])
            assert (again, await address(wayside, shop.order)) == ([settled], "1 Quay, Hull HU1 2AB")
            assert (await program.synchronise()).news == ()


async def test_what_has_changed_meanwhile_is_asked_about_and_money_always(shop: Shop) -> None:
    async with shop.program() as program:
        await program.ask(f"Send {shop.order} to 5 Mill Lane, Bristol BS1 4DJ", "a")
    async with shop.open() as (wayside, url):
        await wayside.systems.orders.act(TENANT, "other", ChangeAddress(shop.order, "1 Quay, Hull HU1 2AB"))
        async with shop.program(url) as program:
            [asked] = (await program.synchronise()).news
            assert (asked.state, asked.code) == (State.NEEDS_USER, "changed")
            assert "1 Quay" in asked.text
            assert await address(wayside, shop.order) == "1 Quay, Hull HU1 2AB"
            assert (await program.synchronise()).news == (), "it is not sent again before the person agrees"
            assert "goes out with the next" in (await program.ask("yes please", "a")).text
            [done] = (await program.synchronise()).news
            assert done.state is State.MERGED
            assert "5 Mill Lane" in await address(wayside, shop.order)
            cancel = f"Cancel {shop.order}"
            await program.ask(cancel, "b")
            await program.ask("yes", "b")
            [asked] = (await program.synchronise()).news
            assert (asked.state, asked.code) == (State.NEEDS_USER, "money")
            assert "leave" in (await program.ask("no", "b")).text
            assert program.pending() == []
            [order] = await wayside.systems.orders.orders(TENANT, OrderFilter(order_id=shop.order))
            assert order.status is OrderStatus.PLACED


async def test_what_the_device_does_not_know_is_asked_in_the_cloud_while_there_is_one(shop: Shop) -> None:
    question = "Do you rent out snowshoes for a weekend?"
    async with shop.open() as (wayside, url):
        said = b"# Renting snowshoes\n\nWe rent out snowshoes: a weekend costs 18 euros a pair, from Friday to Monday."
        await wayside.documents.add(TENANT, "renting-snowshoes.md", said)
        await wayside.ingestion.wait_idle()
        async with shop.program(url) as program:
            answer = await program.ask(question, "a")
            assert (answer.engine, answer.declined) == ("cloud", False)
            [cited, *_] = answer.citations
            assert "18 euros" in cited.quote and f"[{cited.marker}]" in answer.text
            assert cited.title == "Renting snowshoes"
            known = await program.ask(QUESTIONS[1], "b")
            assert (known.engine == "cloud", known.declined) == (False, False), "what is known here is answered here"
    async with shop.program() as program:
        assert (await program.ask(question, "c")).declined


async def test_without_a_model_nothing_is_written(shop: Shop) -> None:
    with pytest.raises(NotFound, match="brings no model"):
        async with shop.program(writes=True):
            pass


async def test_the_bundles_model_words_answers_from_the_documents_alone(shop: Shop) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python, the extra `device`, is compiled where it runs")
    async with shop.open() as (wayside, url):
        model = ModelStore().path("smollm2-135m-instruct")
        await _install(shop, wayside, url, Ware(model, "chat", Kind.GGUF, "Apache-2.0", 4 * 10**8))
    async with shop.program(writes=True) as program:
        answer = await program.ask(QUESTIONS[0], "a")
    assert (answer.engine, answer.declined) == ("device", False)
    assert answer.usage.completion_tokens > 0, "the model was asked"
    assert answer.citations and all(each.verdict is not Verdict.UNSUPPORTED for each in answer.citations)


async def test_a_network_that_drops_at_every_byte_brings_it_about_once(shop: Shop) -> None:
    """Cut while it is sent and while it is answered, at every few bytes of both."""
    async with shop.open() as (wayside, url):
        acts = list[Any]()
        act = wayside.systems.orders.act

        async def counted(tenant: str, key: str, action: Any) -> Any:
            acts.append(action)
            return await act(tenant, key, action)

        wayside.systems.orders.act = counted  # type: ignore[method-assign]
        intent = Intent.make("change_delivery_address", {"order_id": shop.order, "address": "5 Mill Lane, Bristol BS1"})
        outbox = Outbox(shop.device / "other.db")
        outbox.add("here", intent)
        # A settlement with its request takes some 2,000 bytes, and as much come before it is agreed to.
        limits = iter(range(0, 2400, 23))
        attempts = 0

        def insist(wire: str) -> None:
            nonlocal attempts
            while not outbox.get(intent.id).ended:
                attempts += 1
                with HttpCloud(wire, shop.key, seconds=5) as cloud, contextlib.suppress(GatewayUnreachable):
                    synchronise(outbox, cloud, patience=1)
                for each in outbox.asking():
                    outbox.confirm(each.intent.id)

        async with breaking(url, limits, both_ways=True) as wire:
            await asyncio.to_thread(insist, wire)
        settled = outbox.get(intent.id).settlement
        assert settled is not None and settled.state is State.MERGED
        assert attempts > 30, "the network has hardly broken"
        assert len(acts) == 1
        outbox.close()


async def test_past_its_time_nothing_happens(shop: Shop) -> None:
    late = Intent.make("create_ticket", {}, moment=now() - timedelta(days=9), lifetime=timedelta(days=8))
    async with shop.open() as (_, url):
        with HttpCloud(url, shop.key) as cloud:
            [refused] = await asyncio.to_thread(cloud.settle, [late])
            assert (refused.state, refused.code) == (State.REJECTED, "expired")
        with HttpCloud(url, "wsk_nobodys") as cloud, pytest.raises(ApiError):
            await asyncio.to_thread(cloud.records)
