"""Other MCP servers, as real processes over both transports: what they offer, how they fail, how they come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.mcp.server import McpServer
from agents.tools.tool import Action, Caller, Reading
from core.errors import InvalidInput, OutcomeUnknown, SystemFault, SystemUnavailable
from tests.fakes.acting import STAFF
from tests.fakes.shed import ShedProcess, Told, connected, until


@pytest.fixture(params=["stdio", "http"])
def shed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShedProcess]:
    """The shed's server, running."""
    process = ShedProcess(request.param, tmp_path / "shed")
    process.start()
    yield process
    process.stop()


def names(server: McpServer) -> set[str]:
    return {tool.name.removeprefix("shed__") for tool in server.tools("harbor")}


async def read(server: McpServer, name: str, **arguments: Any) -> Any:
    (tool,) = (each for each in server.tools("harbor") if each.name == f"shed__{name}")
    assert isinstance(tool, Reading)
    return await tool.read(Caller(STAFF), tool.parse(arguments))


async def test_its_tools_are_taken_for_what_they_say_they_are(shed: ShedProcess) -> None:
    told = Told()
    async with connected(shed.settings(), told) as server:
        await until(lambda: bool(server.tools("harbor")))
        kinds = {tool.name: type(tool) for tool in server.tools("harbor")}
        assert server.tools("rival") == ()
    assert {name.removeprefix("shed__") for name, kind in kinds.items() if kind is Reading} == {
        "look",
        "sleep",
        "rummage",
        "stutter",
    }
    assert kinds["shed__burn_once"] is Action
    assert "shed__wrong" not in kinds
    assert any(event == "mcp tool left out" and "shed__wrong" in line for event, line in told.events)


async def test_the_settings_take_less_and_believe_less(shed: ShedProcess) -> None:
    settings = shed.settings(tools=("look", "label"), read_only="never", idempotent="never", tenant="*")
    async with connected(settings) as server:
        await until(lambda: bool(server.tools("rival")))
        tools = {tool.name: tool for tool in server.tools("rival")}
    assert tools.keys() == {"shed__look", "shed__label"}
    assert all(isinstance(tool, Action) and not tool.idempotent for tool in tools.values())


async def test_calling(shed: ShedProcess) -> None:
    async with connected(shed.settings()) as server:
        said = await server.call("put", {"item": "spade"}, "key-1")
        assert (said.content, said.failed) == ({"text": "spade is in", "structured": {"item": "spade"}}, False)
        assert await read(server, "look") == {"text": "put spade key-1", "structured": {"lines": 1}}
        several = await asyncio.gather(*(server.call("put", {"item": str(number)}) for number in range(20)))
        assert [each.content["structured"] for each in several] == [{"item": str(number)} for number in range(20)]
    assert len(shed.lines) == 21


async def test_what_does_not_fit_is_not_sent(shed: ShedProcess) -> None:
    async with connected(shed.settings()) as server:
        await until(lambda: bool(server.tools("harbor")))
        (put,) = (tool for tool in server.tools("harbor") if tool.name == "shed__put")
        for arguments, param in (({}, "item"), ({"item": 7}, "item"), ({"item": "x" * 21}, "item")):
            with pytest.raises(InvalidInput, match="shed__put: item") as refused:
                put.parse(arguments)
            assert refused.value.param == param
    assert shed.lines == []


async def test_a_tool_that_fails_says_why(shed: ShedProcess) -> None:
    async with connected(shed.settings()) as server:
        said = await server.call("refuse", {"item": "x"})
        assert (said.failed, said.refusal) == (True, "the door is stuck")


async def test_a_slow_tool_ends_in_time_and_leaves_the_others_alone(shed: ShedProcess) -> None:
    async with connected(shed.settings(timeout=4.0)) as server:
        await until(lambda: bool(server.tools("harbor")))
        sleeping = asyncio.create_task(read(server, "sleep"))
        assert (await read(server, "look"))["text"] == ""
        with pytest.raises(SystemFault, match="Timed out") as late:
            await sleeping
        assert late.value.code == "no_answer"
        assert (await read(server, "look"))["text"] == ""


async def test_one_call_s_failure_is_its_own(tmp_path: Path) -> None:
    shed = ShedProcess("http", tmp_path / "shed")
    shed.start()
    async with connected(shed.settings()) as server:
        napping = asyncio.create_task(server.call("nap", {}))
        for item, error in (
            ("limited", SystemUnavailable),
            ("broken", OutcomeUnknown),
            ("garbled", OutcomeUnknown),
            ("foreign", OutcomeUnknown),
        ):
            with pytest.raises(error):
                await server.call("put", {"item": item})
        assert (await napping).content == {"text": "good morning"}
        assert server.tools("harbor")
    shed.stop()
    assert shed.lines == ["nap -"]


async def test_noise_between_the_messages_is_no_end(tmp_path: Path) -> None:
    async with connected(ShedProcess("stdio", tmp_path / "shed").settings()) as server:
        assert (await server.call("stutter", {})).content == {"text": "sorry"}


async def test_a_huge_result_is_cut(shed: ShedProcess) -> None:
    async with connected(shed.settings(answer_characters=1000)) as server:
        await until(lambda: bool(server.tools("harbor")))
        assert await read(server, "rummage") == {"text": "x" * 1000, "truncated": True}


async def test_a_list_that_changes_is_followed(shed: ShedProcess) -> None:
    async with connected(shed.settings()) as server:
        await until(lambda: bool(server.tools("harbor")))
        assert "new" not in names(server)
        await server.call("extend", {})
        await until(lambda: "new" in names(server))


async def test_a_list_that_changes_silently_is_followed_later(shed: ShedProcess) -> None:
    async with connected(shed.settings(refresh=0.2)) as server:
        await until(lambda: "look" in names(server))
        await server.call("extend", {})
        await until(lambda: "new" in names(server))


async def test_a_server_that_dies_over_a_call_leaves_it_open_and_comes_back(shed: ShedProcess) -> None:
    async with connected(shed.settings()) as server:
        await until(lambda: bool(server.tools("harbor")))
        with pytest.raises(OutcomeUnknown):
            await server.call("burn", {"item": "hay"}, "key-1")
        assert shed.lines == ["burn hay key-1"]
        if shed.transport == "http":
            # Its connection ends a moment before its process does, and with it the port.
            assert shed.process is not None
            await asyncio.to_thread(shed.process.wait, 30)
            with pytest.raises(SystemUnavailable):
                await server.call("put", {"item": "spade"})
            await until(lambda: not server.tools("harbor"))
            assert isinstance(server.absence("harbor"), SystemUnavailable)
            assert server.absence("rival") is None
            shed.stop()
            shed.start()
        await until(lambda: bool(server.tools("harbor")))
        await server.call("put", {"item": "spade"})
    assert shed.lines == ["burn hay key-1", "put spade -"]


async def test_a_server_that_was_started_anew_is_called_on_a_new_session(tmp_path: Path) -> None:
    shed = ShedProcess("http", tmp_path / "shed")
    shed.start()
    async with connected(shed.settings()) as server:
        await until(lambda: bool(server.tools("harbor")))
        shed.stop()
        shed.start()
        await server.call("put", {"item": "spade"})
    shed.stop()
    assert shed.lines == ["put spade -"]


async def test_a_server_is_told_the_secret_or_refuses_us(tmp_path: Path) -> None:
    shed = ShedProcess("http", tmp_path / "shed", token="s3cret")
    shed.start()
    headers = {"Authorization": "Bearer {secret}"}
    async with connected(shed.settings(headers=headers, secret="s3cret")) as server:
        await until(lambda: bool(server.tools("harbor")))
    told = Told()
    async with connected(shed.settings(headers=headers, secret="wr0ng"), told) as server:
        await until(lambda: bool(told.events))
        with pytest.raises(SystemUnavailable, match="status 401"):
            await server.call("put", {"item": "spade"})
    shed.stop()
    assert not any("wr0ng" in line for _, line in told.events)
    assert shed.lines == []


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://127.0.0.1:9/mcp"},
        {"command": "/no/such/program"},
        {"command": "/bin/true"},
        {"command": "/bin/cat", "timeout": 1.0},
    ],
)
async def test_what_is_no_server_is_away(settings: dict[str, Any]) -> None:
    from core.mcp import McpServerSettings

    told = Told()
    async with connected(McpServerSettings(tenant="harbor", **settings), told) as server:
        await until(lambda: bool(told.events))
        assert server.tools("harbor") == ()
        with pytest.raises(SystemUnavailable, match="shed is away"):
            await server.call("look", {})
    assert told.events[0][0] == "mcp server away"
