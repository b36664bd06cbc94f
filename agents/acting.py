"""The one way for a call to change the world: arguments checked, policy asked, people asked, once, written down.

::

    call ─ arguments ─ role ─ known? ─ examine ─ policy ─┬─ allowed ────────────────┬─ ledger ─ Done
                                                         └─ approval ─┬─ approved ──┘
                                                                      ├─ pending ─── Waiting
                                                                      └─ otherwise ─ Declined

Who calls makes no difference: a graph, a route of the API, an MCP client. A call that comes again, after a crash, a
resume or a lost answer, goes on where it was and ends the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from agents.approvals import Approvals, approval_id
from agents.decisions import Approval, ApprovalStatus, Decision, DecisionKind, EffectStatus
from agents.policy import NeedsApproval, Policy, at_least
from agents.tools.shelf import Shelf
from agents.tools.tool import Action, Caller, Checked, Subject
from core.audit import Audit, Entry
from core.canonical import JSON
from core.database import now
from core.effects import Effect, effect_key
from core.errors import Forbidden, NotFound, WaysideError
from core.ledger import Ledger
from core.reservations import Ended, Status
from core.types import Principal


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: its place in a conversation, and what it is called with.

    The same place and arguments are the same call, whenever they come. `thread` is unique within the caller's own.
    """

    thread: str
    step: int
    index: int
    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The call took effect, now or before; `approval` is set where people had agreed to it."""

    result: JSON
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The call waits for people."""

    approval: Approval


@dataclass(frozen=True, slots=True)
class Declined:
    """The call was rejected, or answered by words, or its time ran out: it will not take effect."""

    approval: Approval


Outcome = Done | Waiting | Declined


class Acting:
    """Performs calls of the tools that change the world."""

    def __init__(
        self,
        shelf: Shelf,
        policy: Policy,
        ledger: Ledger,
        approvals: Approvals,
        audit: Audit,
    ) -> None:
        self._shelf = shelf
        self._policy = policy
        self._ledger = ledger
        self._approvals = approvals
        self._audit = audit
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def perform(self, caller: Caller, call: Call) -> Outcome:
        """Bring the call as far as it can go now.

        Raises `InvalidInput`, `Forbidden`, `NotFound` or `Conflict` when it cannot be done, and what `Ledger.perform`
        raises. What needs a person is refused before the person is asked, as far as that can be told.
        """
        if self._shelf.is_foreign(call.tool):
            # Whoever may not use a server's tools is not told how the server does.
            self._policy.require(caller.principal, call.tool)
        action, subject = self._action(caller.tenant, call.tool), caller.subject
        given = action.parse(call.arguments)
        self._policy.require(caller.principal, action.name)
        action.check(caller)
        arguments = given.canonical()
        place = (f"{caller.owner}/{call.thread}", call.step, call.index)
        effect = _effect(
            caller.tenant, effect_key(caller.tenant, *place, action.name, arguments), action, subject, given
        )
        approval = await self._approvals.find(caller.tenant, effect.key)
        if approval is not None:
            return await self._follow(approval)
        async with self._turn(action, effect, given):
            # Whatever has begun was allowed when it began.
            if not await self._ledger.knows(effect):
                measured = await action.examine(caller.tenant, subject, given)
                needed = self._policy.decide(caller.principal, action.name, measured)
                if isinstance(needed, NeedsApproval):
                    proposal = _proposal(caller, call, effect.key, arguments, needed)
                    return await self._follow(await self._approvals.propose(proposal))
            return Done(await self._carry_out(action, effect, subject, given, caller.principal.key_id))

    async def decide(self, principal: Principal, approval: str, decision: Decision) -> Approval:
        """Take a decision down, and perform the call when that was the last consent it needed.

        Returns the approval as it is then. Its `effect` is None after consent when the destination could not be
        reached: `finish` goes on from there. Raises `NotFound`, `Forbidden`, `Conflict`, and `InvalidInput` for
        edited arguments that the tool does not take.
        """
        found = await self._approvals.get(principal.tenant, approval)
        found.check(principal)
        quorum = 1
        if decision.kind in (DecisionKind.APPROVE, DecisionKind.EDIT):
            self._policy.require(principal, found.tool)
        if decision.arguments is not None:
            action = self._action(found.tenant, found.tool)
            given = action.parse(decision.arguments)
            decision = replace(decision, arguments=given.canonical())
            if found.status is ApprovalStatus.PENDING:
                quorum = await self._allowed(principal, action, found.subject, given)
        decided = await self._approvals.decide(principal, found.id, decision, quorum=quorum)
        if decided.status is not ApprovalStatus.APPROVED or decided.effect is not None:
            return decided
        await self._attempt(decided)
        return await self._approvals.get(principal.tenant, approval)

    async def finish(self, before: datetime) -> list[tuple[Approval, WaysideError]]:
        """Perform the approved calls that were decided `before` and have not ended: their process died, or worse.

        Returns those that could not be brought to an end now either, and why.
        """
        left = []
        for approval in await self._approvals.outstanding(before):
            problem = await self._attempt(approval)
            if problem is not None:
                left.append((approval, problem))
        return left

    async def _follow(self, approval: Approval) -> Outcome:
        """What became of a call that needed consent."""
        if approval.status is ApprovalStatus.PENDING:
            return Waiting(approval)
        if approval.status is not ApprovalStatus.APPROVED or approval.approved is None:
            return Declined(approval)
        action = self._action(approval.tenant, approval.tool)
        given = action.parse(approval.approved)
        effect = _effect(approval.tenant, approval.key, action, approval.subject, given)
        return Done(await self._carry_out(action, effect, approval.subject, given, approval.proposed_by), approval)

    async def _attempt(self, approval: Approval) -> WaysideError | None:
        """Perform an approved call; its refusal is its end, and any other error is returned."""
        try:
            await self._follow(approval)
        except WaysideError as problem:
            noted = await self._approvals.get(approval.tenant, approval.id)
            return problem if noted.effect is None else None
        return None

    async def _carry_out(self, action: Action[Any], effect: Effect, subject: Subject, given: Any, actor: str) -> JSON:
        async def record(session: AsyncSession, end: Ended) -> None:
            done, said = end.status is Status.DONE, json.loads(end.outcome)
            ended = EffectStatus.DONE if done else EffectStatus.REFUSED
            approval = await self._approvals.ended(session, effect.tenant, effect.key, ended, said)
            payload: dict[str, JSON] = {"tool": effect.tool, "key": effect.key, "arguments": effect.arguments}
            if approval is not None:
                payload["approval"] = approval.id
            if not done:
                payload["refusal"] = said
            entry = Entry(actor, f"effect.{ended.value}", action.object_of(given, said if done else None), payload)
            await self._audit.append(effect.tenant, entry, session)

        return await self._ledger.perform(effect, action.destination(subject, given), record)

    async def _allowed(self, principal: Principal, action: Action[Any], subject: Subject, given: Checked) -> int:
        """How many people the edited call needs. Raises `Forbidden` when this one may not be one of them."""
        measured = await action.examine(principal.tenant, subject, given)
        needed = self._policy.decide(principal, action.name, measured)
        if not isinstance(needed, NeedsApproval):
            return 1
        if not at_least(principal.role, needed.by) or needed.assignee not in (None, principal.key_id):
            raise Forbidden(f"{needed.reason}: that is decided by {needed.assignee or needed.by.value}")
        return needed.quorum

    def _turn(self, action: Action[Any], effect: Effect, given: Any) -> AbstractAsyncContextManager[object]:
        """One measured call at a time on each object, or two at once could each stay below the limit of their sum."""
        if not action.measures:
            return nullcontext()
        name = (effect.tenant, action.object_of(given, None))
        lock = self._turns.get(name)
        if lock is None:
            lock = self._turns[name] = asyncio.Lock()
        return lock

    def _action(self, tenant: str, name: str) -> Action[Any]:
        """Raise `SystemUnavailable` when the tool is another server's, which is away."""
        tool = self._shelf.find(tenant, name)
        if not isinstance(tool, Action):
            raise NotFound(f"no tool {name} that changes anything", param="tool")
        return tool


def _effect(tenant: str, key: str, action: Action[Any], subject: Subject, given: Checked) -> Effect:
    return Effect(tenant, key, action.name, {**subject.given(), **given.canonical()})


def _proposal(caller: Caller, call: Call, key: str, arguments: Mapping[str, JSON], needed: NeedsApproval) -> Approval:
    at = now()
    return Approval(
        tenant=caller.tenant,
        id=approval_id(key),
        key=key,
        tool=call.tool,
        arguments=arguments,
        subject=caller.subject,
        thread=call.thread,
        owner=caller.owner,
        proposed_by=caller.principal.key_id,
        reason=needed.reason,
        by=needed.by,
        assignee=needed.assignee,
        quorum=needed.quorum,
        four_eyes=needed.four_eyes,
        created=at,
        expires=at + needed.within,
    )
