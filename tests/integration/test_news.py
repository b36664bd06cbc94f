"""What people decide reaches the conversation that waits for it, whatever dies or is busy in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from agents.approvals import ApprovalRow
from agents.decisions import Approval, Decision, DecisionKind
from agents.hands import ToolHands
from app.assistant import Assistant
from app.checkpoints import open_checkpoints
from app.news import News
from app.runs.admission import Order
from app.runs.assistants import Assistants
from app.runs.owner import Owner
from app.runs.runs import Runs
from app.runs.wayside import WAYSIDE, wayside_assistant
from app.runs.workers import Workers
from core.database import Database, now
from core.errors import Conflict
from core.types import Answer, Message, Principal, Turn
from tests.fakes.acting import CLIENT, COLLEAGUE, NEIGHBOUR, Office
from tests.fakes.assistant import make_graph
from tests.fakes.senses import scripted

SHIPPED = "ORD-10423"
TWICE = "I was charged twice"
APPROVE = Decision(DecisionKind.APPROVE)
OWNER = Owner.of(CLIENT)


@dataclass
class Desk:
    """The office's assistant, its runs and the news."""

    office: Office
    runs: Runs
    assistant: Assistant
    news: News

    async def says(self, text: str, *, fresh: bool = False, who: Principal = CLIENT, thread: str = "t") -> Answer:
        return await self.assistant.answer(Turn(who, thread, (Message("user", text),), fresh))

    async def run(self, text: str) -> Any:
        request = {"input": {"messages": [{"role": "user", "content": text}]}, "modes": ["custom"]}
        run = await self.runs.admission.admit(Order(CLIENT, "t", WAYSIDE, request, create=True))
        return await asyncio.wait_for(self.runs.ended(run), 60)

    async def said(self) -> list[str]:
        state = await self.runs.states.get(await self.runs.threads.get(OWNER, "t"))
        return [each["content"] for each in state["values"]["messages"]]

    async def decided(self, approval: str, decision: Decision = APPROVE) -> Approval:
        return await self.office.acting.decide(COLLEAGUE, approval, decision)


@asynccontextmanager
async def working(runs: Runs) -> AsyncIterator[None]:
    async def unbooked(_principal: Principal, _piece: object) -> None:
        return

    task = asyncio.create_task(Workers(runs, unbooked, poll=0.05).run())
    yield
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    office = Office(database)
    orders = office.company.orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))
    hands = ToolHands(office.toolbox, office.acting)
    async with open_checkpoints(database.dsn) as saver:
        graph, reception = make_graph(hands, {TWICE: "issue_refund", "any news?": "news"}, checkpoints=saver)
        runs = Runs(
            database,
            Assistants(wayside_assistant(graph, characters=1000, observing=scripted())),
            saver,
            sole=True,
            poll=0.05,
        )
        holding = partial(runs.writers.held, assistant_id=WAYSIDE, patience=20.0)
        assistant = Assistant(graph, reception, hands, holding=holding, note=runs.timelines.record)
        async with working(runs):
            yield Desk(office, runs, assistant, News(runs, office.acting, office.approvals))


@pytest.mark.parametrize("fresh", [True, False])
async def test_a_decision_is_told_once_by_a_run_of_the_thread(desk: Desk, fresh: bool) -> None:
    asked = await desk.says(TWICE, fresh=fresh)
    decided = await desk.decided(asked.approvals[0])
    run = await desk.news.tell(decided)
    assert run is not None
    ended = await asyncio.wait_for(desk.runs.ended(run), 60)
    told = orjson.loads(ended.output or b"")["messages"][-1]["content"]
    assert (ended.status, ended.labels) == ("success", {"approval": decided.id})
    assert told.startswith(f"80.00 EUR for {SHIPPED} are on their way back to you")
    assert await desk.news.tell(decided) is None
    assert (await desk.says("any news?")).text == told, "nobody was on the line when it was told first"
    assert (await desk.said()).count(told) == 2
    assert desk.office.company.orders[SHIPPED].refunded == Decimal("100.00")


async def test_many_at_once_are_one_run(desk: Desk) -> None:
    asked = await desk.run(TWICE)
    assert asked.status == "interrupted"
    [waiting] = orjson.loads(asked.output)["__interrupt__"]
    decided = await desk.decided(waiting["value"]["approval"])
    runs = await asyncio.gather(*(desk.news.tell(decided) for _ in range(8)))
    assert len({run.id for run in runs if run is not None}) == 1


async def test_what_nobody_was_told_is_caught_up_with(desk: Desk) -> None:
    asked = await desk.says(TWICE)
    await desk.decided(asked.approvals[0], Decision(DecisionKind.REJECT, text="seen no second charge"))
    await desk.news.sweep()
    for _ in range(200):
        if "was turned down: seen no second charge" in (await desk.said())[-1]:
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError(f"nobody was told: {await desk.said()}")
    before = len(await desk.said())
    await desk.news.sweep()
    assert len(await desk.said()) == before


async def test_a_decision_during_another_turn_is_told_after_it_and_no_run_fails(desk: Desk) -> None:
    asked = await desk.says(TWICE)
    decided = await desk.decided(asked.approvals[0])
    async with desk.runs.writers.held(OWNER, "t", WAYSIDE):
        assert await desk.news.tell(decided) is None
    sweeping = asyncio.create_task(desk.news.run())
    for _ in range(200):
        if "are on their way back to you" in (await desk.said())[-1]:
            break
        await asyncio.sleep(0.05)
    sweeping.cancel()
    await asyncio.wait({sweeping})
    assert "are on their way back to you" in (await desk.said())[-1]
    [told] = await desk.runs.page(OWNER, "t", limit=10, offset=0, status=None)
    # What it said is stored with its last step, a moment before it ends.
    assert (await asyncio.wait_for(desk.runs.ended(told), 60)).status == "success"


async def test_time_that_ran_out_is_told_without_anybody_asking(desk: Desk) -> None:
    asked = await desk.says(TWICE)
    async with desk.office.database.session() as session:
        await session.execute(update(ApprovalRow).values(expires_at=now() - timedelta(seconds=1)))
    await desk.news.sweep()
    for _ in range(200):
        if "Nobody decided" in (await desk.said())[-1]:
            break
        await asyncio.sleep(0.05)
    assert "Nobody decided" in (await desk.said())[-1]
    assert (await desk.office.approvals.get(CLIENT.tenant, asked.approvals[0])).status == "expired"


async def test_a_call_that_no_conversation_made_is_told_to_nobody(desk: Desk) -> None:
    await desk.office.call(CLIENT, "issue_refund", thread="api/x", order_id=SHIPPED, amount="60.00", reason="twice")
    [approval] = await desk.office.approvals.list(CLIENT.tenant)
    assert await desk.news.tell(await desk.decided(approval.id)) is None
    await desk.news.sweep()


async def test_a_copied_thread_hears_of_the_same_approval_and_proposes_none(desk: Desk) -> None:
    asked = await desk.says(TWICE)
    await desk.runs.threads.copy(OWNER, "t", "copy")
    again = await desk.says("any news?", thread="copy")
    assert again.approvals == asked.approvals
    await desk.decided(asked.approvals[0])
    assert (await desk.says("any news?", thread="copy")).text.startswith("80.00 EUR")
    assert len(await desk.office.approvals.list(CLIENT.tenant)) == 1


async def test_turns_on_one_thread_take_turns_and_others_do_not_wait(desk: Desk) -> None:
    async with desk.runs.writers.held(OWNER, "t", WAYSIDE):
        waiting = asyncio.create_task(desk.says(TWICE))
        await desk.says("any news?", who=NEIGHBOUR)
        assert not waiting.done()
    await waiting
    texts = [f"question {i}" for i in range(6)]
    await asyncio.gather(*(desk.says(text) for text in texts[:3]), *(desk.run(text) for text in texts[3:]))
    said = await desk.said()
    # Everybody's answer follows their question: no turn wrote over another's.
    assert sorted(said[2::2]) == texts
    assert [each for each in said[3::2] if "could not find" not in each] == []


async def test_a_thread_that_stays_busy_is_a_conflict(desk: Desk) -> None:
    async with desk.runs.writers.held(OWNER, "t", WAYSIDE):
        with pytest.raises(Conflict, match="busy"):
            async with desk.runs.writers.held(OWNER, "t", WAYSIDE, patience=0.2):
                raise AssertionError("two writers at once")


async def test_a_turn_that_acts_goes_on_when_its_client_is_gone(desk: Desk) -> None:
    stream = desk.assistant.stream(Turn(CLIENT, "t", (Message("user", TWICE),)))
    await anext(stream)
    await stream.aclose()
    await desk.assistant.close()
    assert "needs the consent of a colleague" in (await desk.said())[-1]
    assert len(await desk.office.approvals.list(CLIENT.tenant)) == 1
    [timeline] = await desk.runs.timelines.page(CLIENT.tenant)
    assert timeline.status == "interrupted"
    assert (await desk.runs.threads.get(OWNER, "t")).status == "interrupted"


async def test_a_failed_turn_leaves_a_thread_that_waits_waiting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.says(TWICE)

    async def broken(*_given: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(desk.assistant, "_run", broken)
    with pytest.raises(ConnectionRefusedError):
        await desk.says("How long is it open?")
    assert (await desk.runs.threads.get(OWNER, "t")).status == "interrupted"


async def test_a_new_chat_that_waits_is_seen_to_wait_at_once(desk: Desk) -> None:
    await desk.says(TWICE, fresh=True)
    assert (await desk.runs.threads.get(OWNER, "t")).status == "interrupted"


async def test_a_turn_that_fails_with_nobody_listening_is_logged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    perform, left = desk.office.acting.perform, asyncio.Event()

    async def failing(*given: Any) -> Any:
        await left.wait()
        await perform(*given)
        raise ConnectionRefusedError

    monkeypatch.setattr(desk.office.acting, "perform", failing)
    stream = desk.assistant.stream(Turn(CLIENT, "t", (Message("user", TWICE),)))
    with capture_logs() as logged:
        await anext(stream)
        await stream.aclose()
        left.set()
        await desk.assistant.close()
        await asyncio.sleep(0)
    assert [each["event"] for each in logged] == ["turn failed with nobody listening"]


async def test_a_thread_removed_while_it_is_to_be_told_is_told_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await desk.says(TWICE)
    decided = await desk.decided(asked.approvals[0])

    async def removed(_approval: Approval) -> bool:
        await desk.runs.threads.delete(OWNER, "t")
        return True

    monkeypatch.setattr(desk.news, "_waits", removed)
    assert await desk.news.tell(decided) is None
