"""Tells conversations what was decided on the calls that they wait for, each decision by a run of its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from langgraph.types import Interrupt
from sqlalchemy.exc import DBAPIError

from agents.acting import Acting
from agents.approvals import Approvals
from agents.decisions import Approval
from app import logs
from app.runs.admission import Order
from app.runs.finishing import finished
from app.runs.log import wait
from app.runs.owner import Owner
from app.runs.resuming import Resumption
from app.runs.rows import Run
from app.runs.runs import Runs
from app.runs.tables import ThreadStatus
from app.runs.wayside import UNHEARD, WAYSIDE
from core.database import now
from core.errors import Conflict, NotFound
from core.types import Principal, Role

# Whoever decides performs the call and tells of it at once; what is older has lost whoever that was.
_ABANDONED = timedelta(seconds=30)
# A thread that was busy when it was to be told is tried again for so long; later, whoever asks is told.
_WORTH_TELLING = timedelta(hours=1)
_PERIOD = 15.0
_SOON = 0.5


class News:
    """Brings decisions to the threads that wait for them, and approved calls to their end where a process died."""

    def __init__(self, runs: Runs, acting: Acting, approvals: Approvals) -> None:
        self._runs = runs
        self._acting = acting
        self._approvals = approvals
        self._graph = runs.assistants.get(WAYSIDE).graph
        self._again = asyncio.Event()
        self._told: set[tuple[str, str]] = set()

    async def tell(self, approval: Approval) -> Run | None:
        """Admit the run that goes on with the thread that waits for this approval.

        None where none waits: the call came from elsewhere, or the thread was told before. One that is busy is told
        by `sweep`. Telling twice is harmless: the same approval is the same run.
        """
        owner = Owner(approval.tenant, approval.owner)
        try:
            thread = await self._runs.threads.get(owner, approval.thread)
        except NotFound:
            return None
        if not await self._waits(approval):
            return None
        if thread.status == ThreadStatus.BUSY:
            # What is at work there may move the interrupt: an answer to it that waits its turn could find it gone.
            self._again.set()
            return None
        kind, _, name = approval.owner.partition(":")
        # Whose authority a call has was decided when it was proposed; this one only reads its own thread on.
        principal = Principal(approval.proposed_by, approval.tenant, Role.CLIENT, name if kind == "customer" else None)
        waiting = self._runs.waiting(principal, thread.id)
        order = Order(
            principal=principal,
            thread_id=thread.id,
            assistant_id=WAYSIDE,
            request={"modes": ["custom", "values"], UNHEARD: True},
            labels={"approval": approval.id},
            resumption=Resumption({"approval": approval.id}, waiting, _believed),
        )
        try:
            return await self._runs.admission.admit(order)
        except (Conflict, NotFound):
            # Busy with other answers, or removed since it was looked at.
            return None

    async def sweep(self) -> None:
        """Perform what was approved and lost its process, let time run out, and tell what nobody was told."""
        for approval, problem in await self._acting.finish(now() - _ABANDONED):
            fields = {"tenant": approval.tenant, "approval": approval.id, "tool": approval.tool}
            logs.logger.warning("approved call not done", **fields, code=problem.code)
        await self._approvals.expire()
        moment = now()
        decided = await self._approvals.decided(moment - _WORTH_TELLING, moment)
        await self._catch_up(decided)

    async def run(self) -> None:
        """Sweep for ever. A database that is away is reported and waited for."""
        while True:
            try:
                await finished(self.sweep())
            except (DBAPIError, OSError) as problem:
                logs.logger.warning("decisions not read", **logs.describe(problem))
            await wait(self._again, _PERIOD)
            if self._again.is_set():
                self._again.clear()
                await asyncio.sleep(_SOON)

    async def _catch_up(self, decided: Iterable[Approval]) -> None:
        recent = {(each.tenant, each.id): each for each in decided}
        self._told &= recent.keys()
        for key in recent.keys() - self._told:
            approval = recent[key]
            if await self._waits(approval):
                await self.tell(approval)
            elif approval.decided is not None and approval.decided < now() - _ABANDONED:
                self._told.add(key)

    async def _waits(self, approval: Approval) -> bool:
        """Whether the thread still has this approval to hear of."""
        key = Owner(approval.tenant, approval.owner).checkpoint_key(approval.thread)
        state = await self._graph.aget_state({"configurable": {"thread_id": key, "checkpoint_ns": ""}})
        return any(approval.id == each["approval"] for each in state.values.get("pending") or ())


def _believed(_interrupt: Interrupt, value: Any) -> Any:
    # The graph looks the decision up by itself; what it is resumed with only wakes it.
    return value
