"""An approval: a call that waits for people, what they say to it, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agents.policy import at_least
from agents.tools.tool import Subject
from core.canonical import JSON, canonical
from core.errors import Conflict, Forbidden, InvalidInput
from core.types import Principal, Role


class ApprovalStatus(StrEnum):
    """Where an approval is. Only a pending one changes, and an expired one counts as rejected."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    RESPONDED = "responded"
    EXPIRED = "expired"


class DecisionKind(StrEnum):
    """What a person can say: yes, yes with other arguments, no, or words for the agent instead."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"


class EffectStatus(StrEnum):
    """How the approved call ended: it took effect, or its destination refused it."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person says. `arguments` belong to an edit; `text` is the reason, or the words for the agent."""

    kind: DecisionKind
    arguments: Mapping[str, JSON] | None = None
    text: str = ""

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for an edit without arguments, arguments without an edit, a response without words."""
        if (self.kind is DecisionKind.EDIT) != (self.arguments is not None):
            raise InvalidInput("arguments belong to the decision edit, and to no other", param="arguments")
        if self.kind is DecisionKind.RESPOND and not self.text.strip():
            raise InvalidInput("a response needs its text", param="text")


@dataclass(frozen=True, slots=True)
class Vote:
    """A decision, by whom (a key's id) and when."""

    by: str
    at: datetime
    decision: Decision


@dataclass(frozen=True, slots=True)
class Approval:
    """A call as proposed, why it waits, who may decide until when, and what they said.

    `key` is its effect's; `owner` whose conversation it is. `arguments` are never altered: what was approved is in
    `approved`. `effect` and `outcome` (the result, or the refusal) are set when the approved call has ended.
    """

    tenant: str
    id: str
    key: str
    tool: str
    arguments: Mapping[str, JSON]
    subject: Subject
    thread: str
    owner: str
    proposed_by: str
    reason: str
    by: Role
    assignee: str | None
    quorum: int
    four_eyes: bool
    created: datetime
    expires: datetime
    status: ApprovalStatus = ApprovalStatus.PENDING
    votes: tuple[Vote, ...] = ()
    approved: Mapping[str, JSON] | None = None
    decided: datetime | None = None
    effect: EffectStatus | None = None
    outcome: JSON = None

    def after(self, decision: Decision, principal: Principal, at: datetime, quorum: int) -> Approval:
        """The approval when this person has decided so; itself when nothing changes by it.

        `quorum` is what the arguments in question ask for, if that is more than was asked for first. People agree
        when they approve the same arguments, so an edit starts the count anew. Raises `Forbidden` for who may not
        decide, and `Conflict` when it is decided otherwise, or too late.
        """
        self.check(principal)
        if self.status is not ApprovalStatus.PENDING:
            if self.status is ApprovalStatus.EXPIRED or not self._said(decision):
                raise Conflict(f"{self.id} is {self.status.value} already", code=f"approval_{self.status.value}")
            return self
        if at >= self.expires:
            raise Conflict(f"{self.id} is expired already", code="approval_expired")
        mine = next((vote for vote in self.votes if vote.by == principal.key_id), None)
        if mine is not None:
            if not _same(mine.decision, decision, self.arguments):
                raise Conflict(f"you have decided {self.id} otherwise already", code="approval_voted")
            return self
        voted = replace(self, votes=(*self.votes, Vote(principal.key_id, at, decision)))
        if decision.kind is DecisionKind.REJECT:
            return replace(voted, status=ApprovalStatus.REJECTED, decided=at)
        if decision.kind is DecisionKind.RESPOND:
            return replace(voted, status=ApprovalStatus.RESPONDED, decided=at)
        agreed = [vote for vote in voted.votes if _same(vote.decision, decision, self.arguments)]
        if len(agreed) < max(self.quorum, quorum):
            return voted
        approved = _wanted(decision, self.arguments)
        return replace(voted, status=ApprovalStatus.APPROVED, approved=approved, decided=at)

    def check(self, principal: Principal) -> None:
        """Raise `Forbidden` when this person may not decide."""
        if principal.role is Role.CLIENT or not at_least(principal.role, self.by):
            raise Forbidden(f"{self.id} is decided by a key of role {self.by.value} or above")
        if self.assignee not in (None, principal.key_id):
            raise Forbidden(f"{self.id} is decided by {self.assignee} alone")
        if self.four_eyes and principal.key_id == self.proposed_by:
            raise Forbidden(f"you proposed {self.id}: somebody else has to decide", code="four_eyes")

    def answer(self) -> str:
        """What the last vote says: why it was rejected, or the words for the agent."""
        if self.status is ApprovalStatus.EXPIRED:
            return "expired"
        return self.votes[-1].decision.text if self.votes else ""

    def _said(self, decision: Decision) -> bool:
        return bool(self.votes) and _same(self.votes[-1].decision, decision, self.arguments)


def _wanted(decision: Decision, proposed: Mapping[str, JSON]) -> Mapping[str, JSON]:
    return proposed if decision.arguments is None else decision.arguments


def _same(one: Decision, other: Decision, proposed: Mapping[str, JSON]) -> bool:
    """Whether two decisions come to the same: what is done, or what the agent is told. Reasons may differ."""
    consents = (DecisionKind.APPROVE, DecisionKind.EDIT)
    if one.kind in consents and other.kind in consents:
        return canonical(_wanted(one, proposed)) == canonical(_wanted(other, proposed))
    return one.kind is other.kind and (one.kind is not DecisionKind.RESPOND or one.text == other.text)
