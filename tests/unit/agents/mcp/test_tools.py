"""A stranger's tools as ours: their names, what is left out, and what the ledger is told of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agents.mcp.answers import Said
from agents.mcp.tools import Described, McpDestination, foreign_tools
from agents.tools.shelf import Shelf
from agents.tools.tool import Action, AnyTool, Caller, Reading, Subject
from agents.tools.toolbox import parameters
from core.canonical import JSON
from core.effects import Effect
from core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    SystemFault,
    SystemUnavailable,
    WaysideError,
)
from core.mcp import McpServerSettings
from tests.fakes.acting import CLIENT, STAFF, Office

SETTINGS = McpServerSettings(tenant="harbor", url="http://shed/mcp")
EFFECT = Effect("harbor", "key-1", "shed__put", {"item": "spade"})
ITEM = {"type": "object", "properties": {"item": {"type": "string"}, "customer_id": {"type": "string"}}}
PUT = Described("put", "Put\n it\0 in", ITEM, read_only=False, idempotent=False, destructive=True)
LOOK = replace(PUT, name="look", read_only=True)


class Answering:
    """A server that gives the next of these answers, and remembers the calls."""

    def __init__(self, *answers: Said | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, Mapping[str, JSON], str | None]] = []

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None = None) -> Said:
        self.calls.append((tool, arguments, key))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def taken(*described: Described, server: Answering | None = None, **settings: Any) -> dict[str, AnyTool]:
    chosen = SETTINGS.model_copy(update=settings)
    tools, _ = foreign_tools("shed", chosen, server or Answering(), described)
    return {tool.name: tool for tool in tools}


def destination(server: Answering, described: Described = PUT, **settings: Any) -> McpDestination:
    (tool,) = taken(described, server=server, **settings).values()
    assert isinstance(tool, Action)
    made = tool.destination(Subject(), tool.parse({"item": "spade"}))
    assert isinstance(made, McpDestination)
    return made


def test_names_cannot_be_ours_and_words_are_marked_as_theirs() -> None:
    tools = taken(PUT, replace(PUT, name="a.b/c"))
    assert tools.keys() == {"shed__put", "shed__a_b_c"}
    assert "server shed" in tools["shed__put"].description
    assert tools["shed__put"].description.endswith("Put it\ufffd in")
    assert all(tool.foreign for tool in tools.values())


def test_what_cannot_be_taken_is_left_out_with_a_reason() -> None:
    many = [replace(PUT, name=f"t{number}") for number in range(300)]
    bad = [
        replace(PUT, name="x" * 80),
        replace(PUT, name="a.b"),
        replace(PUT, name="a/b"),
        replace(PUT, name="list", schema={"type": "array"}),
    ]
    tools, left_out = foreign_tools("shed", SETTINGS, Answering(), [*bad, *many])
    assert len(tools) == 256
    assert [line.split(":")[-1].strip() for line in left_out] == [
        "its name is too long",
        "another tool has this name",
        "its arguments are no object",
        "it has more than 256 tools",
    ]
    only, _ = foreign_tools("shed", SETTINGS.model_copy(update={"tools": ("t7",)}), Answering(), [*bad, *many])
    assert [tool.name for tool in only] == ["shed__t7"]


async def test_reading() -> None:
    done = Said({"text": "a spade"})
    lost = OutcomeUnknown("no answer")
    server = Answering(done, Said({"text": "stuck"}, failed=True), lost, SystemUnavailable("away"))
    look = taken(LOOK, server=server)["shed__look"]
    assert isinstance(look, Reading)

    async def read() -> JSON:
        return await look.read(Caller(STAFF), look.parse({}))

    assert await read() == {"text": "a spade"}
    with pytest.raises(SystemFault, match="shed__look failed, says shed: stuck") as failed:
        await read()
    with pytest.raises(SystemFault) as silent:
        await read()
    # Nothing was to be done, so this is no unknown outcome.
    assert [type(each.value) for each in (failed, silent)] == [SystemFault, SystemFault]
    assert (failed.value.code, silent.value.code) == ("tool_failed", "no_answer")
    with pytest.raises(SystemUnavailable):
        await read()


async def test_an_act_carries_its_key() -> None:
    server = Answering(Said({"text": "in"}))
    assert await destination(server).execute(EFFECT) == {"text": "in"}
    assert server.calls == [("put", {"item": "spade"}, "key-1")]


async def test_a_failure_is_a_refusal_and_silence_is_not() -> None:
    failed = Said({"text": "stuck"}, failed=True)
    server = Answering(failed, InvalidInput("no such item"), OutcomeUnknown("cut"), SystemUnavailable("away"))
    made = destination(server)
    for error in (Conflict, InvalidInput, OutcomeUnknown, SystemUnavailable):
        with pytest.raises(error):
            await made.execute(EFFECT)


@pytest.mark.parametrize(
    ("hint", "believed", "repeatable"),
    [
        (False, "hinted", False),
        (True, "hinted", True),
        (True, "never", False),
        (False, "always", True),
    ],
)
async def test_only_what_may_be_repeated_is(hint: bool, believed: str, repeatable: bool) -> None:
    described = replace(PUT, idempotent=hint)
    made = destination(Answering(), described, idempotent=believed)
    if repeatable:
        assert await made.outcome(EFFECT) is None
    else:
        with pytest.raises(OutcomeUnknown, match="by a person"):
            await made.outcome(EFFECT)


@pytest.mark.parametrize("refusal", [Said({"text": "gone"}, failed=True), InvalidInput("gone")])
async def test_a_refusal_of_a_repetition_proves_nothing_without_a_key(refusal: Said | Exception) -> None:
    described = replace(PUT, idempotent=True)
    made = destination(Answering(refusal), described)
    await made.outcome(EFFECT)
    with pytest.raises(OutcomeUnknown, match="gone"):
        await made.execute(EFFECT)
    keyed = destination(Answering(refusal), described, idempotent="always")
    await keyed.outcome(EFFECT)
    with pytest.raises((Conflict, InvalidInput), match="gone"):
        await keyed.execute(EFFECT)


class Supplying:
    """A supplier that has these tools, or is away."""

    prefix = "shed__"

    def __init__(self, tools: Mapping[str, AnyTool], away: WaysideError | None = None) -> None:
        self._tools = tools
        self._away = away

    def tools(self, tenant: str) -> list[AnyTool]:
        return list(self._tools.values()) if tenant == "harbor" else []

    def absence(self, tenant: str) -> WaysideError | None:
        return self._away if tenant == "harbor" else None


def test_a_shelf_has_a_tenant_s_tools() -> None:
    tools = taken(PUT, LOOK)
    shelf = Shelf([], [Supplying(tools)])
    assert {tool.name for tool in shelf.of("harbor")} == tools.keys()
    assert list(shelf.of("rival")) == []
    assert shelf.find("harbor", "shed__put") is tools["shed__put"]
    for tenant, name in (("rival", "shed__put"), ("harbor", "shed__none"), ("harbor", "put")):
        with pytest.raises(NotFound):
            shelf.find(tenant, name)


def test_what_is_away_is_told_from_what_does_not_exist() -> None:
    shelf = Shelf([], [Supplying({}, SystemUnavailable("away"))])
    with pytest.raises(SystemUnavailable):
        shelf.find("harbor", "shed__put")
    for tenant, name in (("rival", "shed__put"), ("harbor", "other__put")):
        with pytest.raises(NotFound):
            shelf.find(tenant, name)


def test_a_stranger_s_customer_is_not_ours() -> None:
    assert "enum" not in str(parameters(taken(PUT)["shed__put"], Caller(CLIENT)))


async def test_arguments_may_be_named_as_langchain_s_own(office: Office) -> None:
    names = ("config", "run_manager", "callbacks", "self", "input")
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
    server = Answering(Said({"text": "seen"}))
    tools = taken(replace(LOOK, schema=schema), server=server)
    there = Office(office.database, suppliers=[Supplying(tools)])
    (look,) = (tool for tool in there.toolbox.tools(Caller(STAFF), "t1") if tool.name == "shed__look")
    given = {name: f"my {name}" for name in names}
    assert await look.ainvoke(given) == '{"text": "seen"}'
    assert server.calls == [("look", given, None)]


async def test_a_server_s_troubles_are_not_for_everybody(office: Office) -> None:
    there = Office(office.database, suppliers=[Supplying({}, SystemUnavailable("its command cannot be run"))])
    for attempt in (there.toolbox.read(Caller(CLIENT), "shed__look", {}), there.call(CLIENT, "shed__put")):
        with pytest.raises(Forbidden):
            await attempt
    with pytest.raises(SystemUnavailable):
        await there.call(STAFF, "shed__put")
