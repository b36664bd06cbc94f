"""Who may use which tool, and when a person has to agree first: `policy.toml`, read and checked.

What is decided here is enforced in `agents.acting`, whatever a prompt or a model says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.tools.tool import Action, Tool
from core.errors import Forbidden, InvalidInput
from core.types import Principal, Role

DEFAULT = Path(__file__).with_name("policy.toml")
_RANKS = {role: rank for rank, role in enumerate(Role)}


class Limit(BaseModel):
    """When a person has to agree, and who that may be. Without `of`, always."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str | None = None
    above: Decimal | None = Field(None, ge=0)
    by: Role
    assignee: str | None = None
    quorum: int = Field(1, ge=1, le=10)
    four_eyes: bool = True
    hours: float = Field(72.0, gt=0, le=24 * 365)

    @model_validator(mode="after")
    def _decidable(self) -> Self:
        if (self.of is None) != (self.above is None):
            raise ValueError("of and above need each other")
        if self.by is Role.CLIENT:
            raise ValueError("a client never decides")
        if self.assignee is not None and self.quorum > 1:
            raise ValueError("one assignee is no quorum of several")
        return self


class Rule(BaseModel):
    """What the policy says of one tool."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    limit: tuple[Limit, ...] = ()

    @model_validator(mode="after")
    def _decidable(self) -> Self:
        if len(self.limit) > 1 and any(limit.assignee is not None for limit in self.limit):
            raise ValueError("an assignee decides alone: give the tool one limit")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: dict[str, Rule]
    others: Rule


@dataclass(frozen=True, slots=True)
class Allowed:
    """The call may take effect at once."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """The call may take effect when `quorum` people of at least this role have agreed, within `within`.

    With an `assignee` (a key's id) it is that one alone. `reason` says why, in words for them.
    """

    reason: str
    by: Role
    assignee: str | None
    quorum: int
    four_eyes: bool
    within: timedelta


class Policy:
    """The rules of every tool."""

    def __init__(self, rules: Mapping[str, Rule], others: Rule) -> None:
        self._rules = rules
        self._others = others

    @classmethod
    def read(cls, path: Path = DEFAULT) -> Policy:
        """Read the file. Raises `InvalidInput` when it is not a policy; the message says where."""
        try:
            file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError, ValidationError) as problem:
            raise InvalidInput(f"the policy {path.name} cannot be read: {problem}") from problem
        return cls(file.tools, file.others)

    def check(self, tools: Iterable[Tool[Any]], prefixes: tuple[str, ...] = ()) -> None:
        """Raise `InvalidInput` when a rule is of no tool, or a limit of something that its tool does not measure.

        Tools whose names begin with one of `prefixes` are other servers', not known before these are reached.
        """
        known = {tool.name: tool for tool in tools}
        for name in known.keys() & self._rules.keys():
            tool = known[name]
            measures = tool.measures if isinstance(tool, Action) else ()
            if not isinstance(tool, Action) and self._rules[name].limit:
                raise InvalidInput(f"the policy has a limit on {name}, which changes nothing")
            for limit in self._rules[name].limit:
                if limit.of is not None and limit.of not in measures:
                    raise InvalidInput(f"the policy limits {name} by {limit.of}, which it does not measure")
        foreign = {name for name in self._rules if name.startswith(prefixes)} if prefixes else set()
        for name in foreign:
            if any(limit.of is not None for limit in self._rules[name].limit):
                raise InvalidInput(f"the policy limits {name} by what another server's tool does not measure")
        if unknown := self._rules.keys() - known.keys() - foreign:
            raise InvalidInput(f"the policy has rules of tools that do not exist: {', '.join(sorted(unknown))}")
        if any(limit.of is not None for limit in self._others.limit):
            raise InvalidInput("the policy's rule for other tools cannot measure: leave out of and above")

    def permits(self, principal: Principal, tool: str) -> bool:
        """Whether the principal may use the tool at all, be it with somebody's consent."""
        return at_least(principal.role, self._rule(tool).role)

    def require(self, principal: Principal, tool: str) -> None:
        """Raise `Forbidden` when the principal may not use the tool."""
        if not self.permits(principal, tool):
            least, yours = self._rule(tool).role.value, principal.role.value
            raise Forbidden(f"{tool} needs a key of role {least} or above; yours is {yours}")

    def decide(self, principal: Principal, tool: str, measured: Mapping[str, Decimal]) -> Allowed | NeedsApproval:
        """Say what the call needs. Raises `Forbidden` when the principal may not use the tool.

        Where several limits apply, all of them are met: the highest role, the largest quorum, the shortest time.
        """
        self.require(principal, tool)
        passed = [
            limit for limit in self._rule(tool).limit if limit.of is None or measured[limit.of] > (limit.above or 0)
        ]
        if not passed:
            return Allowed()
        return NeedsApproval(
            reason="; ".join(_why(tool, limit, measured) for limit in passed),
            by=max((limit.by for limit in passed), key=_RANKS.__getitem__),
            assignee=passed[0].assignee,
            quorum=max(limit.quorum for limit in passed),
            four_eyes=any(limit.four_eyes for limit in passed),
            within=timedelta(hours=min(limit.hours for limit in passed)),
        )

    def _rule(self, tool: str) -> Rule:
        return self._rules.get(tool, self._others)


def at_least(role: Role, least: Role) -> bool:
    """Whether a key of this role may do what asks for `least`."""
    return _RANKS[role] >= _RANKS[least]


def _why(tool: str, limit: Limit, measured: Mapping[str, Decimal]) -> str:
    if limit.of is None:
        return f"{tool} always needs a person's consent"
    return f"{limit.of} is {measured[limit.of]}, above the limit of {limit.above}"
