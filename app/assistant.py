"""The model named `wayside`: hands a turn to the agents and gives back their answer, whole or as it grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from agents.knowledge import Graph, KnowledgeContext
from app.runs.owner import Owner
from core.errors import InvalidInput
from core.types import Answer, TextDelta, Turn

_SPEAKERS: dict[str, Callable[[str], BaseMessage]] = {
    "system": lambda text: SystemMessage(text),
    "user": lambda text: HumanMessage(text),
    "assistant": lambda text: AIMessage(text),
}


class Assistant:
    """The agents behind one door."""

    def __init__(self, knowledge: Graph) -> None:
        self._knowledge = knowledge

    async def answer(self, turn: Turn) -> Answer:
        """Answer the turn as a whole. Raises what `stream` raises."""
        async with aclosing(self.stream(turn)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Answer):
                    return piece
        raise AssertionError("a stream that ends well ends with its answer")

    async def stream(self, turn: Turn) -> AsyncGenerator[TextDelta | Answer, None]:
        """Answer the turn in pieces; the finished `Answer` comes last, when the thread has been stored with it.

        Raises `InvalidInput` when the last message is not a user's, or is empty. An engine that fails is no
        error here: the documents' own words answer instead.
        """
        if not turn.messages or turn.messages[-1].speaker != "user" or not turn.messages[-1].text.strip():
            raise InvalidInput("the last message must be the user's, and say something", param="messages")
        # Tenant and owner are part of the thread's identity, so that nobody reaches another's thread by its id.
        key = Owner.of(turn.principal).checkpoint_key(turn.thread_id)
        config: RunnableConfig = {"configurable": {"thread_id": key}}
        answer: Answer | None = None
        async for piece in self._knowledge.astream(
            {"incoming": [_SPEAKERS[message.speaker](message.text) for message in turn.messages]},
            config,
            context=KnowledgeContext(turn.principal.scope, turn.thread_id),
            stream_mode="custom",
            # Nothing in this graph acts on the world, so one checkpoint when it ends is enough.
            durability="exit",
        ):
            # The graph is not done yet when it tells its answer: who has it may ask the next question at once.
            if isinstance(piece, Answer):
                answer = piece
            else:
                yield cast("TextDelta", piece)
        if answer is None:
            raise RuntimeError("the graph ended without an answer")
        yield answer
