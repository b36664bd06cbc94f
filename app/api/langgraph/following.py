"""What langgraph-sdk reads of a run: its events with their numbers, or its outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from app.errors import body_of
from app.runs.encoding import encode
from app.runs.log import EventLog
from app.runs.rows import Run
from app.runs.runs import Runs
from core.errors import WaysideError


async def events(log: EventLog, run: Run, after: int = 0, names: Collection[str] | None = None) -> AsyncIterator[bytes]:
    """The run's events as server-sent events, with their numbers as ids; only those of `names`, and the last one."""
    async for event in log.follow(run.tenant, run.id, after):
        if names is None or event.is_last or event.name.partition("|")[0].partition("/")[0] in names:
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, event.name.encode(), event.data)


async def outcome(runs: Runs, run: Run) -> AsyncIterator[bytes]:
    """The run's final values, once it has ended; for one that failed `{"__error__": …}`, which the clients raise."""
    try:
        ended = await runs.ended(run)
        yield ended.output or b"null"
    except WaysideError as error:
        detail = body_of(error)["error"]
        yield encode({"__error__": {**detail, "error": detail["code"]}})
