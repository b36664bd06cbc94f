"""The right to a thread is held while it is used, and given back whatever happens to its holder."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.runs import writers as module
from app.runs.admission import Admission, Order
from app.runs.log import Signals
from app.runs.owner import Owner
from app.runs.writers import Writers
from core.database import Database
from core.errors import Conflict
from core.types import Principal, Role

OWNER = Owner("acme", "key:alice")


async def test_who_leaves_while_taking_a_thread_does_not_keep_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    writers = Writers(database, lambda: woken.append(True))
    take, begun, left = writers._take, asyncio.Event(), asyncio.Event()

    async def slowly(*given: Any) -> bool:
        begun.set()
        await left.wait()
        return await take(*given)

    async def hold() -> None:
        async with writers.held(OWNER, "t", "wayside"):
            raise AssertionError("it was left before")

    with monkeypatch.context() as patched:
        patched.setattr(writers, "_take", slowly)
        holding = asyncio.create_task(hold())
        await begun.wait()
        holding.cancel()
        left.set()
        await asyncio.wait({holding})
    assert holding.cancelled() and woken
    async with writers.held(OWNER, "t", "wayside"):
        pass


async def test_a_database_that_is_away_for_a_moment_does_not_end_the_renewing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = Writers(database)
    change, looks, renewed = writers._change, [0], asyncio.Event()

    async def away_at_first(*given: Any) -> None:
        looks[0] += 1
        if looks[0] == 1:
            raise ConnectionRefusedError
        await change(*given)
        renewed.set()

    monkeypatch.setattr(module, "HELD", timedelta(seconds=0.03))
    monkeypatch.setattr(writers, "_change", away_at_first)
    async with writers.held(OWNER, "t", "wayside"), asyncio.timeout(30):
        await renewed.wait()


async def test_a_run_that_begins_later_stands_in_nobodys_way(database: Database) -> None:
    principal = Principal("alice", "acme", Role.CLIENT)
    admission = Admission(database, Signals(), lambda: None)
    writers = Writers(database)
    later = Order(principal, "t", "wayside", {"input": None}, create=True, after_seconds=3600)
    await admission.admit(later)
    async with writers.held(OWNER, "t", "wayside", beside_later=True):
        pass
    with pytest.raises(Conflict):
        async with writers.held(OWNER, "t", "wayside"):
            raise AssertionError("an edit or a deletion waits for every run")
    await admission.admit(replace(later, after_seconds=0))
    with pytest.raises(Conflict):
        async with writers.held(OWNER, "t", "wayside", beside_later=True):
            raise AssertionError("a run that is due goes first")
