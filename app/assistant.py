"""The model named `wayside`: hands a turn to the agents and gives back their answer, whole or as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, Literal, cast
from weakref import WeakValueDictionary

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.conversation import Matter
from agents.decisions import Approval
from agents.graph import AssistantContext, Graph
from agents.hands import Hands
from agents.reception import Heading, Reception, Way
from app.runs.owner import Owner
from core.errors import InvalidInput
from core.types import Answer, Principal, Role, Turn, TurnEvent

_SPEAKERS: dict[str, Callable[[str], BaseMessage]] = {
    "system": lambda text: SystemMessage(text),
    "user": lambda text: HumanMessage(text),
    "assistant": lambda text: AIMessage(text),
}


class Assistant:
    """The agents behind one door."""

    def __init__(self, graph: Graph, reception: Reception, hands: Hands) -> None:
        self._graph = graph
        self._reception = reception
        self._hands = hands
        self._resuming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, turn: Turn) -> Answer:
        """Answer the turn as a whole. Raises what `stream` raises."""
        async with aclosing(self.stream(turn)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Answer):
                    return piece
        raise AssertionError("a stream that ends well ends with its answer")

    async def stream(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        """Answer the turn in pieces; the finished `Answer` comes last, when the thread has been stored with it.

        Raises `InvalidInput` when the last message is not a user's, or is empty. An engine that fails is no
        error here: the documents' own words answer instead. A call that needs people ends the turn as well: the
        answer says so, names the approval, and the thread goes on with `resume`.
        """
        if not turn.messages or turn.messages[-1].speaker != "user" or not turn.messages[-1].text.strip():
            raise InvalidInput("the last message must be the user's, and say something", param="messages")
        # Tenant and owner are part of the thread's identity, so that nobody reaches another's thread by its id.
        config = _config(Owner.of(turn.principal).checkpoint_key(turn.thread_id))
        heading = await self._heading(turn, config)
        incoming = [_SPEAKERS[message.speaker](message.text) for message in turn.messages]
        context = AssistantContext(turn.principal.scope, turn.thread_id, turn.principal)
        # Reading acts on nothing, so one checkpoint at its end is enough; whatever may act is stored step by step.
        durability: Literal["exit", "sync"] = "exit" if heading["way"] == Way.DOCUMENTS else "sync"
        async with aclosing(
            self._run({"incoming": incoming, "foreseen": heading}, config, context, durability)
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def resume(self, approval: Approval) -> Answer | None:
        """Go on with the thread that waits for this approval, and return what it says to the person.

        Nothing is returned where the thread waits for nothing. Resuming twice is harmless: each call takes effect
        once, and what was told is not told again.
        """
        thread = Owner(approval.tenant, approval.owner).checkpoint_key(approval.thread)
        lock = self._resuming.setdefault(thread, asyncio.Lock())
        async with lock:
            return await self._resume(approval, _config(thread))

    async def _resume(self, approval: Approval, config: RunnableConfig) -> Answer | None:
        state = await self._graph.aget_state(config)
        if not any(approval.id == each["approval"] for each in state.values.get("pending") or ()):
            return None
        kind, _, name = approval.owner.partition(":")
        customer = name if kind == "customer" else None
        # Whose authority a call has was decided when it was proposed; this one only reads its own thread on.
        principal = Principal(approval.proposed_by, approval.tenant, Role.CLIENT, customer)
        context = AssistantContext(principal.scope, approval.thread, principal, listening=False)
        answer = None
        async for piece in self._run(Command(resume={"approval": approval.id}), config, context, "sync"):
            answer = piece if isinstance(piece, Answer) else answer
        return answer

    async def _run(
        self, given: Any, config: RunnableConfig, context: AssistantContext, durability: Literal["exit", "sync"]
    ) -> AsyncGenerator[TurnEvent, None]:
        answer: Answer | None = None
        async for piece in self._graph.astream(
            given, config, context=context, stream_mode="custom", durability=durability
        ):
            # The graph is not done yet when it tells its answer: who has it may ask the next question at once.
            if isinstance(piece, Answer):
                answer = piece
            else:
                yield cast("TurnEvent", piece)
        if answer is None:
            raise RuntimeError("the graph ended without an answer")
        yield answer

    async def _heading(self, turn: Turn, config: RunnableConfig) -> Heading:
        known: Mapping[str, Any] = (await self._graph.aget_state(config)).values
        tools = self._hands.tools(turn.principal)
        matter = known.get("matter") or Matter()
        text = turn.messages[-1].text.strip()
        return await self._reception.heading(text, tools, matter, known.get("pending") or ())


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}
