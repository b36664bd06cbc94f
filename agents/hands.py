"""How a graph reads and acts: the seam between who chooses a call and what checks and performs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agents.acting import Acting, Declined
from agents.acting import Call as PlacedCall
from agents.acting import Waiting as Undecided
from agents.conversation import Call
from agents.decisions import ApprovalStatus
from agents.tools.tool import Caller
from agents.tools.toolbox import Toolbox
from core.canonical import JSON
from core.types import Principal


@dataclass(frozen=True, slots=True)
class Done:
    """It took effect. `arguments` are those it was performed with, which an approver may have edited."""

    result: JSON
    arguments: Mapping[str, Any]
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """People have to agree first. Proposing the same call again gives the same approval."""

    approval: str
    reason: str


@dataclass(frozen=True, slots=True)
class Noted(Waiting):
    """It waits on this device for a network. `approval` is the intent's id, `reason` what is to be said of it."""


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """It was rejected, or its time ran out; nothing happened. `reason` is the decider's."""

    reason: str


@dataclass(frozen=True, slots=True)
class Replied:
    """The decider wrote to the person instead of deciding on the call, which is not performed."""

    text: str


Outcome = Done | Waiting | TurnedDown | Replied


class Hands(Protocol):
    """The tools, policy, approvals, ledger and audit behind one door.

    Both methods raise `NotFound`, `Conflict`, `InvalidInput` and `Forbidden` for what cannot be done, and a
    `SystemFault` when a system gave no answer.
    """

    def tools(self, principal: Principal) -> frozenset[str]:
        """The names of the tools that the principal may use at all."""

    async def read(self, caller: Caller, tool: str, arguments: Mapping[str, Any]) -> JSON:
        """Return what a tool that changes nothing says."""

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        """Bring the call about, once for ever, as far as the policy lets it now.

        Calling again gives the present outcome: `Waiting` until it is decided, then what came of it.
        """


class ToolHands:
    """See `Hands`: readings through the toolbox, actions through `Acting`."""

    def __init__(self, toolbox: Toolbox, acting: Acting) -> None:
        self._toolbox = toolbox
        self._acting = acting

    def tools(self, principal: Principal) -> frozenset[str]:
        """See `Hands.tools`."""
        return self._toolbox.names(Caller(principal))

    async def read(self, caller: Caller, tool: str, arguments: Mapping[str, Any]) -> JSON:
        """See `Hands.read`."""
        return await self._toolbox.read(caller, tool, dict(arguments))

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        """See `Hands.perform`."""
        placed = PlacedCall(thread, call["step"], call["index"], call["tool"], call["arguments"])
        came = await self._acting.perform(caller, placed)
        if isinstance(came, Undecided):
            return Waiting(came.approval.id, came.approval.reason)
        if isinstance(came, Declined):
            said = came.approval.answer()
            responded = came.approval.status is ApprovalStatus.RESPONDED
            return Replied(said) if responded else TurnedDown(said)
        approved = None if came.approval is None else came.approval.approved
        return Done(came.result, approved or call["arguments"], edited=approved not in (None, call["arguments"]))
