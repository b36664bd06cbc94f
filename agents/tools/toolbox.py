"""The tools that a principal may use, as LangChain's, bound to it and to one thread."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.types import interrupt

from agents.acting import Acting, Call, Declined, Done, Outcome, Waiting
from agents.policy import Policy
from agents.tools.shelf import Shelf
from agents.tools.tool import Action, AnyTool, Caller, Reading, Shape
from core.canonical import JSON
from core.errors import InvalidInput, NotFound

_STEP = "wayside_step"
_INDEX = "wayside_call"


def placed(config: RunnableConfig, step: int, index: int) -> RunnableConfig:
    """The config to invoke a tool with: the `index`-th call of this step of the thread. A replay says the same."""
    return {**config, "configurable": {**config.get("configurable", {}), _STEP: step, _INDEX: index}}


class Toolbox:
    """All tools, and who may use which."""

    def __init__(self, shelf: Shelf, policy: Policy, acting: Acting) -> None:
        self._shelf = shelf
        self._policy = policy
        self._acting = acting

    def tools(self, caller: Caller, thread: str) -> list[BaseTool]:
        """The tools that the caller may use on this thread; `metadata["acts"]` says which change the world.

        Those that do are invoked with a config from `placed`, inside of a graph with a checkpointer: one that needs
        consent interrupts the run, and does so again until somebody has decided. A resume's value counts for nothing.
        """
        return [
            self._acting_tool(tool, caller, thread) if isinstance(tool, Action) else self._reading_tool(tool, caller)
            for tool in self.usable(caller)
        ]

    def names(self, caller: Caller) -> frozenset[str]:
        """The names of the tools that the caller may use."""
        return frozenset(tool.name for tool in self.usable(caller))

    def usable(self, caller: Caller) -> Iterator[AnyTool]:
        """The tools that the caller may use."""
        for tool in self._shelf.of(caller.tenant):
            if self._policy.permits(caller.principal, tool.name) and not (tool.personal and caller.visitor):
                yield tool

    def find(self, caller: Caller, name: str) -> AnyTool:
        """A tool the caller may use. Raises `Forbidden`, `NotFound`, or `SystemUnavailable` (its server is away)."""
        if self._shelf.is_foreign(name):
            # Whoever may not use a server's tools is not told how the server does.
            self._policy.require(caller.principal, name)
        tool = self._shelf.find(caller.tenant, name)
        self._policy.require(caller.principal, name)
        tool.check(caller)
        return tool

    async def read(self, caller: Caller, name: str, arguments: dict[str, Any]) -> JSON:
        """Call a tool that changes nothing.

        Raises `InvalidInput`, `Forbidden`, `NotFound`, or a `SystemFault` when another server did not serve us.
        """
        try:
            tool = self.find(caller, name)
        except NotFound as problem:
            if problem.param != "tool":
                raise
            raise InvalidInput(f"no tool {name} that only reads", param="tool") from None
        if not isinstance(tool, Reading):
            raise InvalidInput(f"no tool {name} that only reads", param="tool")
        return await tool.read(caller, tool.parse(arguments))

    def _reading_tool(self, tool: Reading[Any], caller: Caller) -> BaseTool:
        async def read(_config: RunnableConfig, arguments: dict[str, Any]) -> str:
            return _text(await self.read(caller, tool.name, arguments))

        return _bound(tool, caller, read)

    def _acting_tool(self, tool: Action[Any], caller: Caller, thread: str) -> BaseTool:
        async def act(config: RunnableConfig, arguments: dict[str, Any]) -> str:
            place = config.get("configurable", {})
            if _STEP not in place or _INDEX not in place:
                raise InvalidInput(f"say which call of the thread this {tool.name} is: use placed()")
            call = Call(thread, place[_STEP], place[_INDEX], tool.name, arguments)
            outcome = await self._acting.perform(caller, call)
            while isinstance(outcome, Waiting):
                interrupt(_asked(outcome))
                outcome = await self._acting.perform(caller, call)
            return _told(outcome)

        return _bound(tool, caller, act)


class BoundTool(BaseTool):
    """One tool for one caller. Its arguments may have any names, those that LangChain itself uses included."""

    perform: Callable[[RunnableConfig, dict[str, Any]], Awaitable[str]]

    def _run(self, *_given: Any, **_named: Any) -> str:
        raise NotImplementedError(f"{self.name} is asynchronous: use ainvoke")

    async def _arun(self, /, *, wayside_config: RunnableConfig, **arguments: Any) -> str:
        return await self.perform(wayside_config, arguments)


def parameters(tool: AnyTool, caller: Caller) -> dict[str, Any]:
    """The JSON schema of what the caller may call the tool with."""
    schema = copy.deepcopy(_schema(cast("Any", tool.arguments)))
    customer = caller.subject.customer_id
    if customer is not None and not tool.foreign and "customer_id" in schema["properties"]:
        # A model need not know, and cannot choose, whom it talks to.
        schema["properties"]["customer_id"]["enum"] = [customer]
    return schema


@lru_cache(maxsize=256)
def _schema(arguments: Shape[Any]) -> dict[str, Any]:
    """The same for each caller, and a fifth of a millisecond to make."""
    return arguments.model_json_schema()


def _bound(
    tool: AnyTool, caller: Caller, perform: Callable[[RunnableConfig, dict[str, Any]], Awaitable[str]]
) -> BaseTool:
    return BoundTool(
        name=tool.name,
        description=tool.description,
        args_schema=parameters(tool, caller),
        perform=perform,
        metadata={"acts": isinstance(tool, Action)},
    )


def _asked(waiting: Waiting) -> dict[str, JSON]:
    approval = waiting.approval
    return {
        "approval": approval.id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "reason": approval.reason,
        "by": approval.by.value,
        "expires": approval.expires.isoformat(),
    }


def _told(outcome: Outcome) -> str:
    if isinstance(outcome, Done):
        return _text(outcome.result)
    assert isinstance(outcome, Declined), "what waits has been waited for"  # noqa: S101
    return _text({"declined": outcome.approval.status.value, "answer": outcome.approval.answer()})


def _text(result: JSON) -> str:
    return json.dumps(result, ensure_ascii=False)
