"""Which interrupt an answer is for, and who answered it first.

LangGraph names an interrupt after the task that raised it, so a graph whose answers must not be mixed up (approvals)
raises one interrupt a task: a second one in the same task has the same id.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.types import Interrupt
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.runs.owner import Owner
from app.runs.rows import Run, runs_of
from app.runs.tables import UNFINISHED, ResumeRow, RunRow
from core.errors import Conflict, InvalidInput, NotFound

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Waiting:
    """The interrupts that wait on a thread at one of its versions."""

    version: int
    interrupts: tuple[Interrupt, ...]


@dataclass(frozen=True, slots=True)
class Resumption:
    """An answer to interrupts: `{id: value}`, or one value for the one that waits.

    `read` tells what waits, by a connection of its own, so never within a transaction; `judge` may refuse or change
    each value.
    """

    given: Any
    read: Callable[[], Awaitable[Waiting]]
    judge: Callable[[Interrupt, Any], Any]

    @property
    def named(self) -> Mapping[str, Any] | None:
        """The values by interrupt id, when the answer names them."""
        if isinstance(self.given, dict) and self.given and all(_ID.fullmatch(str(key)) for key in self.given):
            return self.given
        return None

    def matched(self, waiting: tuple[Interrupt, ...]) -> dict[str, Any]:
        """The judged values by interrupt id. Raises `NotFound`, `InvalidInput`, and what the judge raises."""
        by_id = {each.id: each for each in waiting}
        named = self.named
        if named is None:
            if len(by_id) != 1:
                raise InvalidInput(
                    f"{len(by_id)} interrupts wait: answer by id, {{id: value}}.", param="command.resume"
                )
            named = {next(iter(by_id)): self.given}
        for id_ in named:
            if id_ not in by_id:
                raise NotFound(f"No interrupt {id_!r} waits on this thread.", param="command.resume")
        return {id_: self.judge(by_id[id_], value) for id_, value in named.items()}


async def first_answer(
    session: AsyncSession, owner: Owner, thread_id: str, resumption: Resumption, waiting: tuple[Interrupt, ...]
) -> Run | None:
    """The run that answered already, if one did; None when the answer is new."""
    pending = {each.id for each in waiting}
    named = resumption.named
    if named is None and not pending:
        # A repeated click, too late for the interrupt to be seen: the thread's last run was the answer.
        query = select(RunRow).where(runs_of(owner, thread_id)).order_by(RunRow.position.desc()).limit(1)
        last = await session.scalar(query)
        if last is None or "resume" not in last.request:
            raise Conflict("No interrupt waits on this thread.", code="no_interrupt", param="command.resume")
        return Run.of(last)
    asked = list(named) if named is not None else list(pending)
    answered = (
        select(RunRow, ResumeRow.interrupt_id)
        .join(ResumeRow, (ResumeRow.tenant == RunRow.tenant) & (ResumeRow.run_id == RunRow.id))
        .where(
            ResumeRow.tenant == owner.tenant,
            ResumeRow.owner == owner.name,
            ResumeRow.thread_id == thread_id,
            ResumeRow.interrupt_id.in_(asked),
        )
    )
    for row, interrupt_id in await session.execute(answered):
        # One that ended and left the interrupt waiting (the task asked again) leaves room for another answer.
        if row.status in UNFINISHED or interrupt_id not in pending:
            return Run.of(row)
    return None


async def remember(session: AsyncSession, owner: Owner, thread_id: str, ids: list[str], run_id: str) -> None:
    """Note that this run answers these interrupts."""
    where = (ResumeRow.tenant == owner.tenant, ResumeRow.owner == owner.name, ResumeRow.thread_id == thread_id)
    await session.execute(delete(ResumeRow).where(*where, ResumeRow.interrupt_id.in_(ids)))
    session.add_all(
        ResumeRow(tenant=owner.tenant, owner=owner.name, thread_id=thread_id, interrupt_id=id_, run_id=run_id)
        for id_ in ids
    )
