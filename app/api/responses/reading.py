"""Reads a run as a response: its events as they come, or the whole as it stands or ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import orjson
from starlette.responses import Response

from app.api.chat import ENGINE_HEADER
from app.api.json import Json
from app.api.responses.telling import Telling
from app.following import JSON, Following
from app.runs.rows import Run
from app.runs.runs import Runs
from app.sse import HEARTBEAT_SECONDS
from core.errors import NotFound


async def events(runs: Runs, run: Run, after: int = -1) -> AsyncIterator[bytes]:
    """The response's events with a number above `after`, as server-sent events, those to come included.

    It ends early when the response is deleted.
    """
    telling = Telling(run)
    told = telling.begin()
    for each in told:
        if each["sequence_number"] > after:
            yield _sent(each)
    async for event in runs.log.follow(run.tenant, run.id):
        if event.is_last:
            try:
                run = await runs.find(run.owner, run.id)
            except NotFound:
                return
        for each in telling.take(event, run):
            if each["sequence_number"] > after:
                yield _sent(each)


async def told(runs: Runs, run: Run) -> Telling:
    """All that the run has said so far. Raises `NotFound` when it is deleted meanwhile."""
    telling = Telling(run)
    telling.begin()
    after = 0
    while page := await runs.log.read(run.tenant, run.id, after):
        for event in page:
            if event.is_last:
                run = await runs.find(run.owner, run.id)
            telling.take(event, run)
        after = page[-1].number
    return telling


async def whole(runs: Runs, run: Run, headers: Mapping[str, str], *, patience: float = HEARTBEAT_SECONDS) -> Response:
    """The response once it has ended. After `patience` seconds its head leaves, and white space as often until then.

    Which engine spoke stands in the head only if it is known by then.
    """
    try:
        async with asyncio.timeout(patience):
            ended = await runs.ended(run)
    except TimeoutError:
        return Following(_late(runs, run), JSON, headers, heartbeat=patience)
    telling = await told(runs, ended)
    return Json(telling.view(), headers={**headers, ENGINE_HEADER: telling.engine or "none"})


async def _late(runs: Runs, run: Run) -> AsyncIterator[bytes]:
    telling = await told(runs, await runs.ended(run))
    yield orjson.dumps(telling.view())


def _sent(event: Mapping[str, object]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), orjson.dumps(event))
