"""Another server's tools through policy, approvals, ledger and audit, on both databases, against a real process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.acting import Done, Waiting
from agents.decisions import ApprovalStatus, Decision, DecisionKind, EffectStatus
from agents.policy import DEFAULT
from agents.tools.tool import Caller
from core.database import Database, now
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, OutcomeUnknown, SystemUnavailable
from tests.fakes.acting import CLIENT, COLLEAGUE, STAFF, STRANGER, Office
from tests.fakes.shed import ShedProcess, connected, until

APPROVE = Decision(DecisionKind.APPROVE)
AT_ONCE = ("put", "label", "burn", "burn_once", "refuse")


@pytest.fixture(params=["stdio", "http"])
def shed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShedProcess]:
    process = ShedProcess(request.param, tmp_path / "shed")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The shed's tools need no consent; what else there is goes by the rule for others."""
    path = tmp_path / "policy.toml"
    rules = "".join(f'\n[tools.shed__{name}]\nrole = "staff"\n' for name in AT_ONCE)
    path.write_text(DEFAULT.read_text(encoding="utf-8") + rules, encoding="utf-8")
    return path


@asynccontextmanager
async def working(
    database: Database, shed: ShedProcess, policy: Path | None = None, **settings: Any
) -> AsyncIterator[Office]:
    async with connected(shed.settings(**settings)) as server:
        await until(lambda: bool(server.tools("harbor")))
        yield Office(database, policy, suppliers=(server,))


async def test_staff_read_and_clients_do_not(database: Database, shed: ShedProcess) -> None:
    async with working(database, shed) as office:
        assert "shed__look" in office.toolbox.names(Caller(STAFF))
        assert (await office.toolbox.read(Caller(STAFF), "shed__look", {}))["text"] == ""  # type: ignore[index,call-overload]
        assert not any(name.startswith("shed__") for name in office.toolbox.names(Caller(CLIENT)))
        with pytest.raises(Forbidden):
            await office.toolbox.read(Caller(CLIENT), "shed__look", {})
        with pytest.raises(Forbidden):
            await office.call(CLIENT, "shed__put", item="spade")
        assert not any(name.startswith("shed__") for name in office.toolbox.names(Caller(STRANGER)))
        for attempt in (office.call(STRANGER, "shed__put", item="x"), office.call(STAFF, "shed__nothing", item="x")):
            with pytest.raises(NotFound):
                await attempt
        (tool,) = (each for each in office.toolbox.tools(Caller(STAFF), "t1") if each.name == "shed__look")
        assert await tool.ainvoke({}) == '{"text": "", "structured": {"lines": 0}}'
    assert shed.lines == []


async def test_what_acts_waits_for_a_person_and_happens_once(database: Database, shed: ShedProcess) -> None:
    async with working(database, shed) as office:
        with pytest.raises(InvalidInput, match="item"):
            await office.call(STAFF, "shed__put", things=1)
        waiting = await office.call(STAFF, "shed__put", step=1, item="spade")
        assert isinstance(waiting, Waiting)
        assert shed.lines == []
        edited = Decision(DecisionKind.EDIT, {"item": "rake"})
        decided = await office.acting.decide(COLLEAGUE, waiting.approval.id, edited)
        assert (decided.status, decided.effect) == (ApprovalStatus.APPROVED, EffectStatus.DONE)
        done = await office.call(STAFF, "shed__put", step=1, item="spade")
        assert isinstance(done, Done)
        assert done.result == {"text": "rake is in", "structured": {"item": "rake"}}
        assert shed.lines == [f"put rake {waiting.approval.key}"]
        assert ("key_staff", "effect.done", "mcp/shed/put") in await office.audited()


async def test_the_same_call_is_one_call(database: Database, shed: ShedProcess, policy: Path) -> None:
    async with working(database, shed, policy) as office:
        calls = [office.call(STAFF, "shed__put", step=1, item="spade") for _ in range(10)]
        first, *others = await asyncio.gather(*calls)
        assert isinstance(first, Done)
        assert all(each == first for each in others)
        await office.call(STAFF, "shed__put", step=2, item="spade")
    assert len(shed.lines) == 2


async def test_what_fails_has_failed_for_good(database: Database, shed: ShedProcess, policy: Path) -> None:
    async with working(database, shed, policy) as office:
        for _ in range(2):
            with pytest.raises(Conflict, match="the door is stuck") as refused:
                await office.call(STAFF, "shed__refuse", step=1, item="x")
            assert refused.value.code == "tool_failed"
        assert [action for _, action, _ in await office.audited()] == ["effect.refused"]


async def when_there(call: Callable[[], Awaitable[Any]]) -> Any:
    """What the call gives once the server is there: that it is away may be seen late, and more than once."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await call()
            except SystemUnavailable:
                await asyncio.sleep(0.05)


async def test_a_call_without_an_answer_is_never_made_again(
    database: Database, shed: ShedProcess, policy: Path
) -> None:
    async with working(database, shed, policy) as office:
        with pytest.raises(OutcomeUnknown):
            await office.call(STAFF, "shed__burn", step=1, item="hay")
        if shed.transport == "http":
            shed.stop()
            shed.start()
        for _ in range(3):
            with pytest.raises(OutcomeUnknown, match="by a person"):
                await when_there(lambda: office.call(STAFF, "shed__burn", step=1, item="hay"))
    assert len(shed.lines) == 1


async def test_an_idempotent_call_is_made_again_and_ends(database: Database, tmp_path: Path, policy: Path) -> None:
    shed = ShedProcess("stdio", tmp_path / "shed")
    async with working(database, shed, policy) as office:
        done = await office.call(STAFF, "shed__burn_once", step=1, item="hay")
        assert isinstance(done, Done)
        assert done.result == {"text": "still there"}
        # The label is the same twice; the keys are the same call's.
        assert len(set(shed.lines)) == 1
        assert len(shed.lines) == 2
        assert [action for _, action, _ in await office.audited()] == ["effect.done"]


async def test_a_hint_that_is_not_believed_is_no_leave_to_repeat(
    database: Database, tmp_path: Path, policy: Path
) -> None:
    shed = ShedProcess("stdio", tmp_path / "shed")
    async with working(database, shed, policy, idempotent="never") as office:
        with pytest.raises(OutcomeUnknown):
            await office.call(STAFF, "shed__burn_once", step=1, item="hay")
    assert len(shed.lines) == 1


async def test_consent_given_while_the_server_is_away_counts_when_it_is_back(
    database: Database, tmp_path: Path
) -> None:
    shed = ShedProcess("http", tmp_path / "shed")
    shed.start()
    async with working(database, shed, refresh=0.2) as office:
        waiting = await office.call(STAFF, "shed__put", step=1, item="spade")
        assert isinstance(waiting, Waiting)
        shed.stop()
        await until(lambda: "shed__put" not in office.toolbox.names(Caller(STAFF)))
        with pytest.raises(SystemUnavailable, match="shed is away"):
            await office.call(STAFF, "shed__put", step=2, item="spade")
        decided = await office.acting.decide(COLLEAGUE, waiting.approval.id, APPROVE)
        assert (decided.status, decided.effect) == (ApprovalStatus.APPROVED, None)
        ((_, problem),) = await office.acting.finish(now() + timedelta(seconds=1))
        assert isinstance(problem, SystemUnavailable)
        shed.start()
        await until(lambda: "shed__put" in office.toolbox.names(Caller(STAFF)))
        assert await office.acting.finish(now() + timedelta(seconds=1)) == []
        done = await office.call(STAFF, "shed__put", step=1, item="spade")
        assert isinstance(done, Done)
    shed.stop()
    assert len(shed.lines) == 1


async def test_a_policy_may_speak_of_tools_that_are_not_here_yet(database: Database, policy: Path) -> None:
    shed = ShedProcess("stdio", Path("/nowhere"))
    async with connected(shed.settings()) as server:
        Office(database, policy, suppliers=(server,))
        with pytest.raises(InvalidInput, match="do not exist"):
            Office(database, policy)
        with policy.open("a", encoding="utf-8") as rules:
            rules.write('\n[[tools.shed__put.limit]]\nof = "total"\nabove = "5.00"\nby = "staff"\n')
        with pytest.raises(InvalidInput, match="does not measure"):
            Office(database, policy, suppliers=(server,))
