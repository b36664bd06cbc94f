"""The model named `wayside`: hands a turn to the agents and gives back their answer, whole or as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig

from agents import attached, observed
from agents.conversation import Matter
from agents.graph import AssistantContext, Graph
from agents.hands import Hands
from agents.reception import Heading, Reception, Way
from app import logs
from app.runs.owner import Owner
from app.runs.steps import Steps
from app.runs.tables import ThreadStatus
from app.runs.timelines import CHAT, Timeline
from app.runs.wayside import WAYSIDE
from app.runs.writers import Hold
from core.errors import InvalidInput
from core.types import Answer, Message, Principal, Turn, TurnEvent

_SPEAKERS: dict[str, Callable[[str], BaseMessage]] = {
    "system": lambda text: SystemMessage(text),
    "user": lambda text: HumanMessage(text),
    "assistant": lambda text: AIMessage(text),
}
PATIENCE = 30.0
"""How many seconds a turn waits for another one, or a run, on its thread."""

SAID = "said"
"""In a message's metadata: the whole answer, of which only the message's text was heard."""

Holding = Callable[[Owner, str], AbstractAsyncContextManager[Hold]]


def _alone(_owner: Owner, _thread_id: str) -> AbstractAsyncContextManager[Hold]:
    return nullcontext(Hold())


def _unnoted(_timeline: Timeline) -> None:
    return


class Assistant:
    """The agents behind one door.

    `holding` gives the right to write to a thread that others may be at as well; `note` keeps the turn's timeline.
    """

    def __init__(
        self,
        graph: Graph,
        reception: Reception,
        hands: Hands,
        *,
        holding: Holding = _alone,
        note: Callable[[Timeline], None] = _unnoted,
    ) -> None:
        self._graph = graph
        self._reception = reception
        self._hands = hands
        self._holding = holding
        self._note = note
        self._acting: set[asyncio.Task[None]] = set()

    async def answer(self, turn: Turn) -> Answer:
        """Answer the turn as a whole. Raises what `stream` raises."""
        async with aclosing(self.stream(turn)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Answer):
                    return piece
        raise AssertionError("a stream that ends well ends with its answer")

    async def stream(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        """Answer the turn in pieces; the finished `Answer` comes last, when the thread has been stored with it.

        Raises `InvalidInput` when the last message is not a user's, or is empty, and `Conflict` when the thread stays
        busy. An engine that fails is no error here: the documents' own words answer instead. A call that needs people
        ends the turn as well: the answer says so, names the approval, and the thread goes on when they have decided.

        Whoever stops listening stops the reading of documents; a turn that acts goes on to its end.
        """
        last = turn.messages[-1] if turn.messages else Message("user", "")
        if last.speaker != "user" or not (last.text.strip() or last.attachments):
            raise InvalidInput("the last message must be the user's, and say something", param="messages")
        told: asyncio.Queue[TurnEvent | None] = asyncio.Queue()
        carried = asyncio.create_task(self._carry(turn, told))
        carried.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (piece := await told.get()) is not None:
                yield piece
            await carried
        finally:
            if carried in self._acting:
                carried.add_done_callback(_unheard)
            elif not carried.done():
                carried.cancel()
                await asyncio.wait({carried})

    async def heard(self, principal: Principal, thread_id: str, said: str, heard: str) -> bool:
        """Let the thread remember of a spoken answer what was heard of it; what was said stays in its metadata.

        False, and nothing changes, when the thread has no such answer, or waits for people: an edit would lose what
        it waits for. Raises `Conflict` when the thread stays busy.
        """
        owner = Owner.of(principal)
        config = _config(owner.checkpoint_key(thread_id))
        async with self._holding(owner, thread_id):
            state = await self._graph.aget_state(config)
            told = next((each for each in reversed(state.values.get("messages", ())) if _said(each) == said), None)
            if told is None or state.next:
                return False
            marked = AIMessage(heard, id=told.id, response_metadata={**told.response_metadata, SAID: said})
            # Written as the step behind which a turn ends: nothing is left to do after it.
            await self._graph.aupdate_state(config, {"messages": [marked]}, as_node="reply")
        return True

    async def close(self) -> None:
        """Wait for the turns that act."""
        while self._acting:
            await asyncio.wait(set(self._acting))

    async def _carry(self, turn: Turn, told: asyncio.Queue[TurnEvent | None]) -> None:
        # Tenant and owner are part of the thread's identity, so that nobody reaches another's thread by its id.
        owner, steps, failed = Owner.of(turn.principal), Steps(), True
        config = _config(owner.checkpoint_key(turn.thread_id))
        async with _alone(owner, "") if turn.fresh else self._holding(owner, turn.thread_id) as hold:
            try:
                await self._run(turn, config, steps, told)
                failed = False
            finally:
                if not failed:
                    # A turn that failed leaves a thread that waits waiting.
                    hold.status = ThreadStatus.INTERRUPTED if steps.waits else ThreadStatus.IDLE
                self._note(
                    Timeline.of(
                        owner,
                        turn.thread_id,
                        turn.id,
                        steps,
                        source=CHAT,
                        assistant=WAYSIDE,
                        question=attached.titled(turn.messages[-1].text, turn.messages[-1].attachments),
                        failed=failed,
                    )
                )
        # The graph was not done yet when it told its answer: who has it may ask the next question at once.
        told.put_nowait(cast("Answer", steps.answer))

    async def _run(
        self, turn: Turn, config: RunnableConfig, steps: Steps, told: asyncio.Queue[TurnEvent | None]
    ) -> None:
        heading = await self._heading(turn, config)
        reads = heading["way"] == Way.DOCUMENTS
        if not reads:
            self._go_on(asyncio.current_task())
        incoming = [_incoming(message) for message in turn.messages]
        context = AssistantContext(turn.principal.scope, turn.thread_id, turn.principal)
        # Reading acts on nothing, so one checkpoint at its end is enough; whatever may act is stored step by step.
        durability: Literal["exit", "sync"] = "exit" if reads else "sync"
        async for mode, piece in self._graph.astream(
            {"incoming": incoming, "foreseen": heading},
            config,
            context=context,
            stream_mode=["custom", "tasks"],
            durability=durability,
        ):
            if mode == "tasks":
                steps.task(cast("Mapping[str, Any]", piece))
                continue
            steps.custom(piece)
            if not isinstance(piece, Answer):
                told.put_nowait(cast("TurnEvent", piece))
        if steps.answer is None:
            raise RuntimeError("the graph ended without an answer")

    def _go_on(self, task: asyncio.Task[Any] | None) -> None:
        assert task is not None, "a turn is carried by a task"  # noqa: S101
        self._acting.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._acting.discard(task)
        with suppress(asyncio.CancelledError):
            # Looked at, so that it is not reported as forgotten where nobody listens any more.
            task.exception()

    async def _heading(self, turn: Turn, config: RunnableConfig) -> Heading:
        known: Mapping[str, Any] = {} if turn.fresh else (await self._graph.aget_state(config)).values
        tools = self._hands.tools(turn.principal)
        matter = known.get("matter") or Matter()
        last = turn.messages[-1]
        pending = known.get("pending") or ()
        text = last.text.strip()
        return await self._reception.heading(text, tools, matter, pending, last.attachments, last.observed)


def _said(message: BaseMessage) -> str | None:
    """The answer as it was said, however much of it was heard."""
    return message.response_metadata.get(SAID, str(message.text)) if isinstance(message, AIMessage) else None


def _unheard(task: asyncio.Task[None]) -> None:
    problem = None if task.cancelled() else task.exception()
    if problem is not None:
        logs.logger.error("turn failed with nobody listening", **logs.describe(problem))


def _incoming(message: Message) -> BaseMessage:
    came: dict[str, Any] = {}
    if message.attachments:
        came[attached.FIELD] = [attached.pack(each) for each in message.attachments]
    if message.observed:
        came[observed.FIELD] = observed.pack(message.observed)
    return HumanMessage(message.text, additional_kwargs=came) if came else _SPEAKERS[message.speaker](message.text)


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}}
