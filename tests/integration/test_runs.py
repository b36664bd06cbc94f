"""Runs on both databases: admitted once, carried once, taken over, rolled back."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from sqlalchemy import update

from app.runs.admission import Order
from app.runs.execution import failed
from app.runs.fence import LeaseLost
from app.runs.owner import Owner
from app.runs.resuming import Resumption
from app.runs.rows import Run
from app.runs.runs import Runs
from app.runs.tables import RunRow, RunStatus, ThreadStatus
from core.database import Database, now
from core.errors import Conflict, KeyReused, NotFound
from core.types import Principal, Role
from tests.fakes.graphs import STEPS
from tests.integration.carrying import carrying, opened

ROOT = Path(__file__).parents[2]
ALICE = Principal("key_a", "acme", Role.CLIENT, "CUS-00001")
BOB = Principal("key_b", "acme", Role.CLIENT, "CUS-00002")
RIVAL = Principal("key_a", "rival", Role.CLIENT, "CUS-00001")


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    path = tmp_path / "effects"
    path.touch()
    return path


@pytest.fixture
async def runs(database: Database, effects: Path) -> AsyncIterator[Runs]:
    async with opened(database, effects) as made:
        yield made


def acted(effects: Path) -> str:
    return effects.read_text()


def asked(thread_id: str, principal: Principal = ALICE, **options: Any) -> Order:
    given = options.pop("input", {})
    request = {"input": given, "modes": ["updates", "custom"], "durability": "sync", **options.pop("request", {})}
    return Order(principal, thread_id, STEPS, request, create=True, **options)


def answered(runs: Runs, thread_id: str, value: Any, principal: Principal = ALICE) -> Order:
    resumption = Resumption(value, runs.waiting(principal, thread_id), lambda _interrupt, answer: answer)
    return replace(asked(thread_id, principal, input=None), create=False, resumption=resumption)


async def done(runs: Runs, order: Order) -> Run:
    return await asyncio.wait_for(runs.ended(await runs.admission.admit(order)), 60)


def output(run: Run) -> Any:
    return orjson.loads(run.output or b"null")


async def names(runs: Runs, run: Run) -> list[str]:
    return [event.name async for event in runs.log.follow(run.tenant, run.id)]


async def test_a_run_ends_with_its_values_and_its_events_have_no_gap(runs: Runs) -> None:
    async with carrying(runs):
        run = await done(runs, asked("t", input={"pieces": 40}))
        events = [event async for event in runs.log.follow(run.tenant, run.id)]
    assert (run.status, output(run)["done"]) == ("success", ["begin", "work"])
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.name for event in events].count("custom") == 40
    assert (events[0].name, events[-1].name) == ("metadata", "end")


async def test_concurrent_answers_to_one_interrupt_are_one_effect_and_one_answer(runs: Runs, effects: Path) -> None:
    async with carrying(runs):
        first = await done(runs, asked("t", input={"ask": "go?", "act": "went"}))
        (interrupt,) = output(first)["__interrupt__"]
        values: list[Any] = [{interrupt["id"]: "by name"}, "plainly"] * 10
        ended = await asyncio.gather(*(done(runs, answered(runs, "t", value)) for value in values))
        late = await done(runs, answered(runs, "t", {interrupt["id"]: "too late"}))
        later = await done(runs, answered(runs, "t", "much too late"))
    assert len({run.id for run in [*ended, late, later]}) == 1
    assert len({run.output for run in ended}) == 1
    assert acted(effects) == "went\n"


async def test_an_answer_to_nothing_is_refused(runs: Runs) -> None:
    async with carrying(runs):
        await done(runs, asked("t"))
        with pytest.raises(Conflict, match="No interrupt"):
            await runs.admission.admit(answered(runs, "t", "yes"))
        with pytest.raises(NotFound, match="No interrupt"):
            await runs.admission.admit(answered(runs, "t", {"0" * 32: "yes"}))


async def test_fifty_requests_with_one_key_are_one_run(runs: Runs, effects: Path) -> None:
    orders = [asked("t", input={"act": "once"}, key="k", fingerprint="f") for _ in range(50)]
    async with carrying(runs):
        ended = await asyncio.gather(*(done(runs, order) for order in orders))
        # A stateless run has no thread in common but the one that its key names; here every one has another.
        other = [replace(each, thread_id=str(uuid.uuid4()), key="other") for each in orders[:10]]
        scattered = await asyncio.gather(*(done(runs, order) for order in other))
        with pytest.raises(KeyReused):
            await runs.admission.admit(replace(orders[0], fingerprint="another body"))
    assert len({run.id for run in ended}) == len({run.id for run in scattered}) == 1
    assert acted(effects) == "once\n" * 2


async def test_a_thread_has_one_writer_and_keeps_the_order(runs: Runs, effects: Path) -> None:
    async with carrying(runs):
        orders = [asked("t", input={"pieces": 2, "pause": 0.01, "act": str(i)}) for i in range(4)]
        admitted = [await runs.admission.admit(order) for order in orders]
        for run in admitted:
            await runs.ended(run)
        state = await runs.states.get(await runs.threads.get(Owner.of(ALICE), "t"))
    assert acted(effects).split() == [str(i) for i in range(4)]
    assert state["values"]["done"] == ["begin", "work", "acted"] * 4


async def test_two_processes_share_the_runs(database: Database, effects: Path) -> None:
    async with opened(database, effects) as one, opened(database, effects) as two, carrying(one), carrying(two):
        orders = [asked(f"t{i % 4}", input={"act": str(i)}) for i in range(12)]
        admitted = await asyncio.gather(*(one.admission.admit(order) for order in orders))
        ended = await asyncio.gather(*(two.ended(run) for run in admitted))
    assert {run.status for run in ended} == {"success"}
    assert sorted(acted(effects).split(), key=int) == [str(i) for i in range(12)]


async def test_reject_enqueue_and_interrupt(runs: Runs) -> None:
    slow = {"pieces": 600, "pause": 0.05}
    async with carrying(runs):
        first = await runs.admission.admit(asked("t", input=slow))
        with pytest.raises(Conflict, match="busy"):
            await runs.admission.admit(asked("t", strategy="reject"))
        queued = await runs.admission.admit(asked("t", input=slow))
        async with aclosing(cast("Any", runs.log.follow(first.tenant, first.id))) as told:
            # It is at work, and not stopped before it began.
            await anext(told)
        second = await done(runs, asked("t", strategy="interrupt"))
        stopped = [await runs.ended(each) for each in (first, queued)]
    assert [run.status for run in stopped] == ["interrupted", "interrupted"]
    assert second.status == "success"
    # Nobody is to decide on what was stopped, and it did not come to its end.
    assert (await runs.timelines.get(ALICE.tenant, first.id)).status == "error"
    assert (await runs.timelines.get(ALICE.tenant, second.id)).status == "success"
    assert (await names(runs, first))[-1] == (await names(runs, queued))[-1] == "end"


async def test_rollback_leaves_the_thread_as_it_was(runs: Runs) -> None:
    owner = Owner.of(ALICE)
    async with carrying(runs):
        before = await done(runs, asked("t"))
        history = await _history(runs, "t")
        slow = await runs.admission.admit(asked("t", input={"pieces": 600, "pause": 0.05}))
        async for event in runs.log.follow(slow.tenant, slow.id):
            if event.name == "custom":
                break
        assert len(await _history(runs, "t")) > len(history)
        await runs.admission.cancel(owner, "t", slow.id, "rollback")
        await runs.ended(slow)
        assert await _history(runs, "t") == history
        after = await done(runs, asked("t", strategy="rollback"))
    assert output(after)["done"] == output(before)["done"] * 2


async def test_a_rolled_back_answer_can_be_given_again(runs: Runs, effects: Path) -> None:
    async with carrying(runs):
        first = await done(runs, asked("t", input={"ask": "go?", "act": "went"}))
        (interrupt,) = output(first)["__interrupt__"]
        held = await runs.admission.admit(replace(answered(runs, "t", {interrupt["id"]: 1}), after_seconds=60))
        await runs.admission.cancel(Owner.of(ALICE), "t", held.id, "rollback")
        again = await done(runs, answered(runs, "t", {interrupt["id"]: 2}))
    assert (again.id != held.id, output(again)["answer"], acted(effects)) == (True, 2, "went\n")


async def test_an_answer_that_failed_or_was_cancelled_is_not_taken_again(runs: Runs) -> None:
    async with carrying(runs):
        first = await done(runs, asked("t", input={"ask": "go?"}))
        (interrupt,) = output(first)["__interrupt__"]
        failed_ = await done(runs, answered(runs, "t", {interrupt["id"]: "fail"}))
        waiting = await runs.admission.admit(answered(runs, "t", {interrupt["id"]: "wait"}))
        async for _ in runs.log.follow(waiting.tenant, waiting.id):
            break
        await runs.admission.cancel(Owner.of(ALICE), "t", waiting.id, "interrupt")
        stopped = await asyncio.wait_for(runs.ended(waiting), 30)
        last = await done(runs, answered(runs, "t", {interrupt["id"]: "well"}))
    assert [run.status for run in (failed_, stopped, last)] == ["error", "interrupted", "success"]
    assert output(last)["answer"] == "well"


async def test_a_copy_goes_its_own_way_and_pruning_keeps_the_newest(runs: Runs, effects: Path) -> None:
    owner = Owner.of(ALICE)
    async with carrying(runs):
        first = await done(runs, asked("t", input={"ask": "go?", "act": "went"}))
        (interrupt,) = output(first)["__interrupt__"]
        await runs.threads.copy(owner, "t", "copied")
        await runs.threads.prune(owner, "copied")
        assert len(await _history(runs, "t")) > len(await _history(runs, "copied")) == 1
        ended = await done(runs, answered(runs, "copied", {interrupt["id"]: "yes"}))
        assert (output(ended)["answer"], (await runs.threads.get(owner, "t")).status) == ("yes", "interrupted")
        await runs.threads.delete(owner, "t")
        assert (await runs.threads.get(owner, "copied")).status == "idle"
        assert output(await done(runs, asked("copied")))["done"][-2:] == ["begin", "work"]
    assert acted(effects) == "went\n"


async def test_nobody_reaches_anothers_thread(runs: Runs) -> None:
    async with carrying(runs):
        mine = await done(runs, asked("t", input={"ask": "go?"}))
        (interrupt,) = output(mine)["__interrupt__"]
        for stranger in (BOB, RIVAL):
            with pytest.raises(NotFound):
                await runs.admission.admit(answered(runs, "t", {interrupt["id"]: "yes"}, stranger))
            with pytest.raises(NotFound):
                await runs.get(Owner.of(stranger), "t", mine.id)
            with pytest.raises(NotFound):
                await runs.threads.get(Owner.of(stranger), "t")
            theirs = await done(runs, asked("t", stranger))
            assert output(theirs)["done"] == ["begin", "work"]


async def test_another_process_takes_over_where_a_killed_one_was(database: Database, effects: Path) -> None:
    async with opened(database, effects, lease=1.0) as runs:
        thread = "t0"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.carrying", database.dsn, str(effects), "1.0"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        run = await runs.admission.admit(asked(thread, input={"pieces": 20, "pause": 0.05, "act": thread}))
        seen = 0
        async for event in runs.log.follow(run.tenant, run.id):
            seen += event.name == "custom"
            if seen == 5:
                break
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert (await runs.get(run.owner, thread, run.id)).status == "running"
        async with carrying(runs):
            ended = await asyncio.wait_for(runs.ended(run), 60)
        assert (ended.status, ended.attempt, output(ended)["done"]) == ("success", 2, ["begin", "work", "acted"])
        updates = [e async for e in runs.log.follow(run.tenant, run.id) if e.name == "updates"]
        # `begin` had reached a checkpoint and is not done again.
        assert [next(iter(orjson.loads(each.data))) for each in updates] == ["begin", "work", "speak", "ask", "act"]
        numbers = [event.number async for event in runs.log.follow(run.tenant, run.id)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert acted(effects).split() == ["t0"]


async def test_what_a_killed_process_left_of_a_run_without_a_thread_is_swept(database: Database, effects: Path) -> None:
    async with opened(database, effects) as runs:
        run = await runs.admission.admit(replace(asked("t"), ephemeral=True))
        (claimed,) = await runs.queue.claim(1)
        # The process dies between ending the run and discarding its thread.
        assert await runs.queue.finish(claimed, RunStatus.SUCCESS, ("end", b"{}"), thread=ThreadStatus.IDLE)
        await runs.sweep()
        await runs.threads.get(run.owner, "t")
        await _age(database, timedelta(minutes=2))
        await runs.sweep()
        with pytest.raises(NotFound):
            await runs.threads.get(run.owner, "t")
        assert (await runs.get(run.owner, "t", run.id)).status == "success"
        await _age(database, timedelta(days=2))
        await runs.sweep()
        with pytest.raises(NotFound):
            await runs.get(run.owner, "t", run.id)


async def _age(database: Database, past: timedelta) -> None:
    async with database.session() as session:
        await session.execute(update(RunRow).values(ended_at=now() - past))


async def test_a_worker_that_lost_its_lease_writes_nothing(database: Database, effects: Path) -> None:
    async with opened(database, effects, lease=0.2) as runs:
        run = await runs.admission.admit(asked("t"))
        (lost,) = await runs.queue.claim(1)
        await asyncio.sleep(0.3)
        async with opened(database, effects) as others, carrying(others):
            ended = await others.ended(run)
        with pytest.raises(LeaseLost):
            await runs.log.append(lost.held, [("custom", b"1")])
        with pytest.raises(LeaseLost):
            lost.lease.check()
        outcome = failed(RuntimeError())
        assert not await runs.queue.finish(lost, outcome.status, outcome.event, thread=outcome.thread)
        assert (ended.status, (await runs.get(run.owner, "t", run.id)).status) == ("success", "success")


async def test_a_run_that_takes_its_workers_down_is_given_up(database: Database, effects: Path) -> None:
    async with opened(database, effects, lease=0.01) as runs:
        run = await runs.admission.admit(asked("t"))
        for _ in range(5):
            assert len(await runs.queue.claim(1)) == 1
            await asyncio.sleep(0.05)
        async with carrying(runs):
            ended = await runs.ended(run)
    assert (ended.status, output(ended)["__error__"]["code"]) == ("error", "run_abandoned")


async def _history(runs: Runs, thread_id: str) -> list[Any]:
    thread = await runs.threads.get(Owner.of(ALICE), thread_id)
    return await runs.states.history(thread, limit=100, before=None, at=None, metadata=None)
