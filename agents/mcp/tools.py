"""Another server's tools as ours: those that only read, and those that act and so need the policy and the ledger.

What an act promises depends on what the server promises (see `core/ledger.py`). Nothing can be read back there. A tool
that is idempotent may be called again, and the effect is there once; any other is sent at most once, and where its
answer is lost, a person has to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from agents.mcp.answers import Said, storable
from agents.mcp.shape import SchemaShape, Values
from agents.tools.tool import Action, AnyTool, Caller, Reading, Subject
from core.canonical import JSON
from core.effects import Effect
from core.errors import Conflict, InvalidInput, OutcomeUnknown, SystemFault
from core.mcp import McpServerSettings

KEY = "wayside/idempotency-key"
"""Where in a call's `_meta` its idempotency key stands, in both directions."""

SEPARATOR = "__"
_LONGEST_NAME = 64
_LONGEST_DESCRIPTION = 1_000
_MOST_TOOLS = 256
_UNSPEAKABLE = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Described:
    """A tool as its server describes it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read_only: bool
    idempotent: bool
    destructive: bool


class Server(Protocol):
    """Where the tools are called."""

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None = None) -> Said:
        """Call the tool once; `key` names the call to a server that honours such keys.

        Raises `SystemUnavailable` and `InvalidInput` when nothing was done, `OutcomeUnknown` when the call was sent
        and got no answer that can be read.
        """


def foreign_tools(
    name: str, settings: McpServerSettings, server: Server, described: Iterable[Described]
) -> tuple[list[AnyTool], list[str]]:
    """Take what the settings take of a server's tools. Returns also why others are left out, a line each."""
    tools: dict[str, AnyTool] = {}
    left_out = []
    for each in described:
        if settings.tools is not None and each.name not in settings.tools:
            continue
        ours = name + SEPARATOR + _UNSPEAKABLE.sub("_", each.name)
        if len(tools) == _MOST_TOOLS:
            left_out.append(f"it has more than {_MOST_TOOLS} tools")
            break
        if ours in tools:
            left_out.append(f"{ours}: another tool has this name")
        elif len(ours) > _LONGEST_NAME:
            left_out.append(f"{ours[:_LONGEST_NAME]}…: its name is too long")
        else:
            try:
                tools[ours] = _tool(ours, name, settings, server, each)
            except SystemFault as problem:
                left_out.append(f"{ours}: {problem.message}")
    return list(tools.values()), left_out


def _tool(ours: str, name: str, settings: McpServerSettings, server: Server, described: Described) -> AnyTool:
    shape = SchemaShape(described.schema)
    # It goes into prompts: whoever reads it is told that these are not our words.
    words = " ".join(storable(described.description).split())[:_LONGEST_DESCRIPTION]
    description = f"A tool of the server {name}, which describes it so: {words or described.name}"
    if described.read_only and settings.read_only == "hinted":

        async def read(_caller: Caller, given: Values) -> JSON:
            try:
                said = await server.call(described.name, given.values)
            except OutcomeUnknown as problem:
                # Nothing was to be done, so nothing is in doubt.
                raise SystemFault(problem.message, code="no_answer") from problem
            if said.failed:
                raise SystemFault(f"{ours} failed, says {name}: {said.refusal}", code="tool_failed")
            return said.content

        return Reading(name=ours, description=description, arguments=shape, read=read, foreign=True)

    keyed = settings.idempotent == "always"
    idempotent = keyed or (described.idempotent and settings.idempotent == "hinted")

    async def nothing(_tenant: str, _subject: Subject, _given: Values) -> Mapping[str, Decimal]:
        return {}

    return Action(
        name=ours,
        description=description,
        arguments=shape,
        foreign=True,
        examine=nothing,
        destination=lambda _subject, given: McpDestination(
            server, name, described.name, given.values, keyed=keyed, idempotent=idempotent
        ),
        object_of=lambda _given, _result: f"mcp/{name}/{storable(described.name)}",
        additive=not described.destructive,
        idempotent=idempotent,
    )


@dataclass(slots=True)
class McpDestination:
    """One call of one tool, as the ledger sees it. `keyed` servers give the first answer again for the same key."""

    server: Server
    name: str
    tool: str
    arguments: Mapping[str, JSON]
    keyed: bool
    idempotent: bool
    _repeats: bool = field(default=False, init=False)

    async def execute(self, effect: Effect) -> JSON:
        """See `Destination.execute`."""
        try:
            said = await self.server.call(self.tool, self.arguments, effect.key)
        except InvalidInput as refusal:
            self._doubt(refusal.message)
            raise
        if said.failed:
            self._doubt(said.refusal)
            raise Conflict(f"{effect.tool} failed, says {self.name}: {said.refusal}", code="tool_failed")
        return said.content

    async def outcome(self, effect: Effect) -> JSON:
        """See `Destination.outcome`: none of these can be asked; where repeating does no harm, it need not be."""
        if not self.idempotent:
            raise OutcomeUnknown(f"whether {effect.tool} took effect has to be looked up at {self.name}, by a person")
        self._repeats = True
        return None

    def _doubt(self, refusal: str) -> None:
        """What is refused the second time may be refused because it was done the first time."""
        if self._repeats and not self.keyed:
            raise OutcomeUnknown(f"{self.tool} got no answer at {self.name}, and was refused when repeated: {refusal}")
