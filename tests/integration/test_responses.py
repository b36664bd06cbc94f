"""Responses on both databases: one after another, and told alike by whoever carries or reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.api.responses.ordering import find, order, response_id
from app.api.responses.reading import events, told
from app.api.responses.request import ResponseRequest
from app.checkpoints import open_checkpoints
from app.runs.assistants import Assistants
from app.runs.owner import Owner
from app.runs.rows import Run
from app.runs.runs import Runs
from app.runs.workers import Workers
from core.database import Database
from core.errors import Conflict, NotFound
from core.types import Principal, Role, TextDelta
from tests.fakes.senses import scripted
from tests.fakes.speaking import speaking_assistant, spoken
from tests.integration.carrying import book, carrying

ALICE = Principal("key_a", "acme", Role.CLIENT, "CUS-00001")
BOB = Principal("key_b", "acme", Role.CLIENT, "CUS-00002")
RIVAL = Principal("key_a", "rival", Role.CLIENT, "CUS-00001")


@pytest.fixture
def scripts() -> dict[str, list[Any]]:
    return {
        "slowly": [TextDelta("In "), 0.3, TextDelta("a "), 0.3, *spoken("In a ", "moment.")[1:]],
        "stuck": [TextDelta("In "), TextDelta("a "), 30, *spoken("In a moment.")[1:]],
    }


@pytest.fixture
async def runs(database: Database, scripts: dict[str, list[Any]]) -> AsyncIterator[Runs]:
    async with open_checkpoints(database.dsn) as saver:
        assistants = Assistants(speaking_assistant(saver, scripts))
        yield Runs(database, assistants, saver, sole=False, lease=2.0, poll=0.05)


async def asked(runs: Runs, text: str, previous: Run | None = None, principal: Principal = ALICE) -> Run:
    before = {"previous_response_id": response_id(previous.id)} if previous is not None else {}
    body = ResponseRequest.model_validate({"model": "wayside", "input": text, **before})
    return await runs.admission.admit(await order(runs, scripted(), principal, body, None, None, ""))


async def read(runs: Runs, run: Run, after: int = -1) -> bytes:
    return b"".join([each async for each in events(runs, run, after)])


async def test_of_many_that_go_on_from_one_response_one_does(runs: Runs) -> None:
    async with carrying(runs):
        first = await runs.ended(await asked(runs, "hello"))
        going = [asked(runs, f"next {i}", first) for i in range(12)]
        results = await asyncio.gather(*going, return_exceptions=True)
        (second,) = [each for each in results if isinstance(each, Run)]
        refused = [each for each in results if isinstance(each, Conflict)]
        assert {each.code for each in refused} == {"previous_response_not_latest"}
        assert len(refused) == 11
        third = await asked(runs, "again?", second)
        view = (await told(runs, await runs.ended(third))).view()
    assert view["output"][0]["content"][0]["text"] == "hello"
    assert view["previous_response_id"] == response_id(second.id)


async def test_a_deleted_response_is_none_to_go_on_from(runs: Runs) -> None:
    async with carrying(runs):
        first = await runs.ended(await asked(runs, "hello"))
        second = await runs.ended(await asked(runs, "more", first))
    await runs.delete(second.owner, second.thread_id, second.id)
    with pytest.raises(NotFound):
        await asked(runs, "go on", second)
    assert (await asked(runs, "go on", first)).thread_id == first.thread_id


@pytest.mark.parametrize("stranger", [BOB, RIVAL])
async def test_nobody_finds_another_s(runs: Runs, stranger: Principal) -> None:
    run = await asked(runs, "hello")
    assert (await find(runs, Owner.of(ALICE), response_id(run.id))).id == run.id
    for asking in (find(runs, Owner.of(stranger), response_id(run.id)), asked(runs, "mine", run, stranger)):
        with pytest.raises(NotFound):
            await asking


async def test_readers_of_a_response_read_the_same_from_wherever_they_begin(runs: Runs, database: Database) -> None:
    async with carrying(runs), open_checkpoints(database.dsn) as saver:
        elsewhere = Runs(database, Assistants(speaking_assistant(saver, {})), saver, sole=False, poll=0.05)
        run = await asked(runs, "slowly")
        beginnings = [(each, after) for each in (runs, elsewhere) for after in range(-1, 12)]
        early = await asyncio.gather(*(read(each, run, after) for each, after in beginnings))
        late = await runs.get(run.owner, run.thread_id, run.id)
        whole = [each + b"\n\n" for each in (await read(runs, late)).split(b"\n\n")[:-1]]
        assert (await told(elsewhere, late)).view()["status"] == "completed"
    assert len(whole) == 11
    for (_, after), piece in zip(beginnings, early, strict=True):
        assert piece == b"".join(whole[after + 1 :])


async def test_a_response_outlives_its_worker_and_says_what_was_cut_off_anew(
    runs: Runs, scripts: dict[str, list[Any]]
) -> None:
    run = await asked(runs, "stuck")
    first = asyncio.create_task(Workers(runs, book, poll=0.05).run())
    reading = asyncio.create_task(read(runs, run))
    while not (await told(runs, run)).view()["output"]:
        await asyncio.sleep(0.02)
    # The next one finds the words at once.
    scripts["stuck"] = spoken("In a ", "moment.")
    first.cancel()
    await asyncio.wait({first})
    async with carrying(runs):
        stream = await asyncio.wait_for(reading, 60)
        over = await runs.ended(run)
    assert stream == await read(runs, over)
    cut_off, whole = (await told(runs, over)).view()["output"]
    assert (cut_off["status"], cut_off["content"]) == ("incomplete", [])
    assert (whole["status"], whole["content"][0]["text"]) == ("completed", "In a moment.")
