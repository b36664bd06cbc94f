"""Idempotency keys on both databases, with real concurrency and real deaths."""

import asyncio
from datetime import timedelta

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from sqlalchemy import update

from app.idempotency import Claim, Idempotency, IdempotencyRow, Stored
from core.database import Database, now
from core.errors import InFlight
from core.identity import Identity
from core.settings import Settings
from core.types import Principal, Role
from tests.fakes.gateway import TENANT, started
from tests.fakes.parts import Parts

CALLER = Principal("key_a", TENANT, Role.STAFF)
ANSWER = Stored("f" * 64, 201, [["content-type", "application/json"]], b"\x00{}")


async def test_fifty_posts_with_one_key_have_one_effect(database: Database) -> None:
    identity = Identity(database)
    secret, _ = await identity.create(TENANT, "app", Role.CLIENT)
    parts = Parts(Settings(), database, identity, InMemorySaver())
    parts.assistant.pace = 0.3
    body = {"model": "wayside", "messages": [{"role": "user", "content": "order it"}]}
    headers = {"authorization": f"Bearer {secret}", "idempotency-key": "order-1"}
    async with started(parts) as (_, http):
        posts = [http.post("/v1/chat/completions", json=body, headers=headers) for _ in range(50)]
        answers = await asyncio.gather(*posts)
        late = await http.post("/v1/chat/completions", json=body, headers=headers)
    assert len(parts.assistant.turns) == 1
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409}
    winners = {answer.content for answer in [*answers, late] if answer.status_code == 200}
    assert len(winners) == 1
    assert (late.status_code, late.headers["idempotent-replayed"]) == (200, "true")


async def test_a_claim_is_exclusive_until_it_is_kept_or_released(database: Database) -> None:
    keys = Idempotency(database)
    claim = await keys.claim(CALLER, "k")
    assert isinstance(claim, Claim)
    with pytest.raises(InFlight):
        await keys.claim(CALLER, "k")
    await keys.release(claim)
    claim = await keys.claim(CALLER, "k")
    assert isinstance(claim, Claim)
    await keys.keep(claim, ANSWER)
    assert await keys.claim(CALLER, "k") == ANSWER
    # Another process, the same answer.
    assert await Idempotency(database).claim(CALLER, "k") == ANSWER


async def test_a_dead_process_holds_its_key_for_one_lease(database: Database) -> None:
    lease = timedelta(seconds=0.3)
    dead = await Idempotency(database, lease).claim(CALLER, "k")
    with pytest.raises(InFlight):
        await Idempotency(database, lease).claim(CALLER, "k")
    await asyncio.sleep(0.4)
    heir = await Idempotency(database, lease).claim(CALLER, "k")
    assert isinstance(dead, Claim)
    assert isinstance(heir, Claim)
    # The dead one was only slow: what it does now must not touch the heir's claim.
    await Idempotency(database).keep(dead, ANSWER)
    await Idempotency(database).release(dead)
    with pytest.raises(InFlight):
        await Idempotency(database).claim(CALLER, "k")


async def test_a_long_request_keeps_its_claim(database: Database) -> None:
    keys = Idempotency(database, timedelta(seconds=0.6))
    claim = await keys.claim(CALLER, "k")
    assert isinstance(claim, Claim)
    async with keys.held(claim):
        await asyncio.sleep(1.2)
        with pytest.raises(InFlight):
            await keys.claim(CALLER, "k")


async def test_answers_are_kept_for_a_day(database: Database) -> None:
    claim = await Idempotency(database).claim(CALLER, "k")
    assert isinstance(claim, Claim)
    await Idempotency(database).keep(claim, ANSWER)
    yesterday = now() - timedelta(hours=24, minutes=1)
    async with database.session() as session:
        await session.execute(update(IdempotencyRow).values(created_at=yesterday))
    assert isinstance(await Idempotency(database).claim(CALLER, "k"), Claim)
