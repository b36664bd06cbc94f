"""Carries runs in the background: claims them, renews their leases, stops those that shall stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import DBAPIError

from app import logs
from app.runs.encoding import encode
from app.runs.execution import Execution, Outcome, failed
from app.runs.fence import LeaseLost
from app.runs.finishing import finished
from app.runs.queue import Claimed
from app.runs.runs import Runs
from app.runs.tables import RunStatus
from app.runs.timelines import RUN, Timeline
from app.subject import answering
from core.errors import NotFound, WaysideError
from core.types import Principal

Book = Callable[[Principal, Any], Awaitable[None]]
MOST_ATTEMPTS = 5  # a run that took down so many workers is what takes them down
_SWEEP_SECONDS = 3600.0
_RunKey = tuple[str, str]


class Abandoned(WaysideError):
    """A run whose workers died again and again."""

    code = "run_abandoned"


class Workers:
    """At most `concurrency` runs at once. `poll` is how often, in seconds, other processes' doings are looked at."""

    def __init__(self, runs: Runs, book: Book, *, concurrency: int = 32, poll: float = 1.0) -> None:
        self._runs = runs
        self._queue = runs.queue
        self._book = book
        self._concurrency = concurrency
        self._poll = poll
        self._carried: dict[_RunKey, tuple[Claimed, asyncio.Task[None]]] = {}
        self._asked: dict[_RunKey, str] = {}

    async def run(self) -> None:
        """Work until cancelled; then give back what is unfinished, for another process or the next start."""
        if self._runs.sole:
            await self._surviving(self._queue.recover)
        side = [asyncio.create_task(each) for each in (self._renewing(), self._sweeping(), self._firing())]
        try:
            while True:
                await self._surviving(self._turn)
                await self._queue.wait(self._poll)
        finally:
            tasks = [task for _, task in self._carried.values()]
            for task in (*side, *tasks):
                task.cancel()
            await asyncio.gather(*side, *tasks, return_exceptions=True)

    async def _turn(self) -> None:
        if self._carried:
            for key, action in (await self._queue.asked_to_stop()).items():
                if key in self._carried and key not in self._asked:
                    self._asked[key] = action
                    self._carried[key][1].cancel()
        room = self._concurrency - len(self._carried)
        for claimed in await self._queue.claim(room) if room else []:
            key = (claimed.run.tenant, claimed.run.id)
            self._carried[key] = (claimed, asyncio.create_task(self._carry(key, claimed)))

    async def _carry(self, key: _RunKey, claimed: Claimed) -> None:
        answering(claimed.run.tenant, claimed.run.owner.name)
        try:
            with suppress(LeaseLost):
                await finished(self._conclude(claimed, await self._outcome(key, claimed)))
        except Exception as error:
            # The end of this attempt and not of the worker. When the lease runs out, somebody goes on from the last
            # checkpoint.
            logs.logger.warning("run left unfinished", run_id=claimed.run.id, **logs.describe(error))
        finally:
            # After a long pause this worker may have claimed the run anew, beside an attempt that has lost its lease.
            if key in self._carried and self._carried[key][0] is claimed:
                del self._carried[key]
                self._asked.pop(key, None)
            self._queue.wake()

    async def _outcome(self, key: _RunKey, claimed: Claimed) -> Outcome:
        run = claimed.run
        try:
            assistant = self._runs.assistants.get(run.assistant_id)
        except NotFound as gone:
            return failed(gone)
        execution = Execution(claimed, assistant, self._runs.log, self._queue, self._book)
        action = run.cancel
        if action is None and run.attempt > MOST_ATTEMPTS:
            return failed(Abandoned(f"The run was given up after {MOST_ATTEMPTS} attempts."))
        if action is None:
            try:
                outcome = await execution.carry()
                self._note(claimed, execution, unsuccessful=outcome.status is RunStatus.ERROR)
                return outcome
            except asyncio.CancelledError:
                action = self._asked.get(key)
                if action is None:
                    await finished(self._queue.release(claimed))
                    raise
        self._note(claimed, execution, unsuccessful=True)
        if action == "rollback" and execution.base is not None:
            await self._runs.rows.rewind(run.checkpoint_key, execution.base)
        resting = await execution.outcome()
        last = ("end", encode({"run_id": run.id, "status": RunStatus.INTERRUPTED.value}))
        return Outcome(RunStatus.INTERRUPTED, last, resting.thread, resting.output, reason=action)

    def _note(self, claimed: Claimed, execution: Execution, *, unsuccessful: bool) -> None:
        run = claimed.run
        assistant = self._runs.assistants.get(run.assistant_id)
        timeline = Timeline.of(
            run.owner,
            run.thread_id,
            run.id,
            execution.steps,
            source=RUN,
            assistant=run.assistant_id,
            question=assistant.question(run.request.get("input")),
            failed=unsuccessful,
        )
        self._runs.timelines.record(timeline)

    async def _conclude(self, claimed: Claimed, outcome: Outcome) -> None:
        run = claimed.run
        if "resume" in run.request and (outcome.reason is not None or outcome.status is RunStatus.ERROR):
            await self._runs.rows.forget_answers(run.checkpoint_key)
        ended = await self._queue.finish(
            claimed,
            outcome.status,
            outcome.event,
            output=outcome.output,
            reason=outcome.reason,
            thread=outcome.thread,
        )
        if ended and run.ephemeral:
            await self._runs.threads.discard(run.owner, run.thread_id)
        self._runs.signals.ended(run.id)

    async def _renewing(self) -> None:
        while True:
            await asyncio.sleep(self._queue.seconds / 3)
            await self._surviving(lambda: self._queue.renew([claimed for claimed, _ in self._carried.values()]))

    async def _sweeping(self) -> None:
        while True:
            await self._surviving(self._runs.sweep)
            await asyncio.sleep(_SWEEP_SECONDS)

    async def _firing(self) -> None:
        while True:
            await self._surviving(self._runs.crons.fire)
            await asyncio.sleep(self._poll)

    async def _surviving(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A database that is away is reported and waited for."""
        try:
            await finished(step())
        except (DBAPIError, OSError) as error:
            logs.logger.warning("runs wait for the database", **logs.describe(error))
