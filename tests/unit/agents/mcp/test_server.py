"""Keeping a server connected: its tools come and go, calls wait or fail soon, and letting go always ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from agents.mcp.answers import Said
from agents.mcp.server import McpServer
from agents.mcp.tools import Described
from core.canonical import JSON
from core.errors import OutcomeUnknown, SystemFault, SystemUnavailable
from core.mcp import McpServerSettings
from tests.fakes.shed import Told, until

LOOK = Described("look", "Look.", {"type": "object"}, read_only=True, idempotent=False, destructive=False)


class FakeSession:
    """A connection that a test breaks."""

    def __init__(self, *tools: Described) -> None:
        self.stirred = asyncio.Event()
        self.lost = False
        self.tools = list(tools)
        self.problem: Exception | None = None
        self.calls = 0

    def lose(self) -> None:
        self.lost = True
        self.stirred.set()

    async def describe(self) -> list[Described]:
        return list(self.tools)

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None) -> Said:
        self.calls += 1
        if self.problem is not None:
            raise self.problem
        return Said({"text": tool})


class Place:
    """Where sessions come from: the next one, or the next problem; at the end it waits."""

    def __init__(self, *coming: FakeSession | SystemFault) -> None:
        self.coming = list(coming)
        self.opened = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeSession]:
        self.opened += 1
        if not self.coming:
            await asyncio.Event().wait()
        one = self.coming.pop(0)
        if isinstance(one, SystemFault):
            raise one
        yield one


@asynccontextmanager
async def kept(place: Place, told: Told | None = None, patience: float = 5.0) -> AsyncIterator[McpServer]:
    settings = McpServerSettings(tenant="harbor", url="http://shed/mcp", timeout=patience)
    server = McpServer("shed", settings, place.open, told or Told(), pause=0.01)
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=5)
        assert running.cancelled()


async def test_tools_come_when_the_server_does() -> None:
    session, told = FakeSession(LOOK), Told()
    place = Place(SystemUnavailable("refused"), SystemUnavailable("refused"), session)
    async with kept(place, told) as server:
        absent = server.absence("harbor")
        assert absent is not None
        assert "being connected" in absent.message
        await until(lambda: bool(server.tools("harbor")))
        assert server.absence("harbor") is None
        assert (await server.call("look", {})).content == {"text": "look"}
    # What goes on as before is not reported again.
    assert told.events == [("mcp server away", "shed: refused"), ("mcp server here", "shed: 1 tools")]


async def test_a_changed_list_is_taken_over() -> None:
    session = FakeSession(LOOK)
    async with kept(Place(session)) as server:
        await until(lambda: bool(server.tools("harbor")))
        (before,) = server.tools("harbor")
        session.tools = []
        session.stirred.set()
        await until(lambda: not server.tools("harbor"))
        session.tools = [LOOK]
        session.stirred.set()
        await until(lambda: bool(server.tools("harbor")))
        assert server.tools("harbor")[0].name == before.name


async def test_what_was_not_sent_is_sent_on_the_next_connection() -> None:
    first, second = FakeSession(LOOK), FakeSession(LOOK)
    first.problem = SystemUnavailable("closed")
    async with kept(Place(first, second)) as server:
        await until(lambda: bool(server.tools("harbor")))
        first.lose()
        assert (await server.call("look", {})).content == {"text": "look"}
    assert (first.calls, second.calls) == (1, 1)


async def test_what_may_have_been_sent_is_not_sent_again() -> None:
    first, second = FakeSession(LOOK), FakeSession(LOOK)
    first.problem = OutcomeUnknown("cut")
    async with kept(Place(first, second)) as server:
        await until(lambda: bool(server.tools("harbor")))
        first.lose()
        with pytest.raises(OutcomeUnknown):
            await server.call("look", {})
    assert (first.calls, second.calls) == (1, 0)


async def test_a_refusal_to_take_the_call_is_passed_on() -> None:
    session = FakeSession(LOOK)
    session.problem = SystemUnavailable("status 429")
    async with kept(Place(session)) as server:
        with pytest.raises(SystemUnavailable, match="429"):
            await server.call("look", {})
        assert server.tools("harbor")
    assert session.calls == 1


async def test_a_call_does_not_wait_for_ever() -> None:
    async with kept(Place(), patience=0.05) as server:
        with pytest.raises(SystemUnavailable, match="in time"):
            await server.call("look", {})


async def test_a_server_that_comes_and_goes_is_not_hammered() -> None:
    sessions = [FakeSession(LOOK) for _ in range(200)]
    for each in sessions:
        each.lost = True
    place = Place(*sessions)
    async with kept(place):
        await asyncio.sleep(0.2)
    # One at once, and then after 10, 20, 40 and 80 ms.
    assert place.opened <= 10


async def test_letting_go_ends_though_the_library_swallowed_it() -> None:
    @asynccontextmanager
    async def swallowing() -> AsyncIterator[FakeSession]:
        try:
            yield FakeSession(LOOK)
        except asyncio.CancelledError:
            raise SystemUnavailable("broken just then") from None

    settings = McpServerSettings(tenant="harbor", url="http://shed/mcp")
    server = McpServer("shed", settings, swallowing, Told(), pause=0.01)
    running = asyncio.create_task(server.run())
    await until(lambda: bool(server.tools("harbor")))
    running.cancel()
    await asyncio.wait({running}, timeout=5)
    assert running.cancelled()
