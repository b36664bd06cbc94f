"""One run of one graph: from its input, or from where a dead worker left it, to its end."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError
from langgraph.types import Command, StateSnapshot
from sqlalchemy.exc import DBAPIError

from app import logs
from app.errors import body_of
from app.runs.assistants import ConfiguredAssistant
from app.runs.encoding import encode
from app.runs.fence import FencedSaver, LeaseLost
from app.runs.finishing import finished
from app.runs.log import EventLog
from app.runs.message_events import MessageEvents, checked
from app.runs.queue import Claimed, Queue
from app.runs.recorder import Recorder
from app.runs.steps import Steps
from app.runs.tables import RunStatus, ThreadStatus
from core.errors import Conflict, InvalidInput, WaysideError
from core.types import Principal

# `messages-tuple` and `messages` are two ways to tell what LangGraph calls `messages`.
_TOLD_BY_US = ("messages", "messages-tuple", "events")
Piece = tuple[tuple[str, ...], str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `thread` is what its thread rests as."""

    status: RunStatus
    event: tuple[str, bytes]
    thread: ThreadStatus | None
    output: bytes | None = None
    reason: str | None = None


class Execution:
    """Carries a claimed run. `book` hears of every custom piece, to book what it cost. `steps` is what it was made of.

    `base` is the newest checkpoint from before the run ('' for none), once that is known.
    """

    def __init__(
        self,
        claimed: Claimed,
        assistant: ConfiguredAssistant,
        log: EventLog,
        queue: Queue,
        book: Callable[[Principal, Any], Any],
    ) -> None:
        self._claimed = claimed
        self._run = claimed.run
        self._assistant = assistant
        self.base = claimed.run.base
        self._log = log
        self._queue = queue
        self._book = book
        self._wanted: list[str] = list(self._run.request["modes"])
        self._saver = FencedSaver(cast("Any", assistant.graph.checkpointer), claimed.lease)
        self._graph = assistant.graph.copy({"checkpointer": self._saver})
        self._latest: RunnableConfig = {"configurable": {"thread_id": self._run.checkpoint_key, "checkpoint_ns": ""}}
        self._messages: dict[tuple[str, ...], MessageEvents] = {}
        self.steps = Steps()

    async def carry(self) -> Outcome:
        """Run to the end, or to an interrupt. Raises `LeaseLost` when the run has become another worker's."""
        run = self._run
        try:
            async with Recorder(self._log, self._claimed.held, run.checkpoint_key, run.thread_id) as recorder:
                await recorder.add("metadata", {"run_id": run.id, "attempt": run.attempt})
                begun = await self._begun()
                if begun is None:
                    await self._stream(self._input(), recorder)
                elif not self._rests(begun):
                    await self._stream(None, recorder)
            return await self.outcome()
        except (LeaseLost, DBAPIError):
            # Not the graph's doing: somebody goes on from the last checkpoint.
            raise
        except GraphRecursionError:
            limit = run.request.get("recursion_limit")
            return failed(
                InvalidInput(f"The graph took more than {limit or 'its limit of'} steps.", code="recursion_limit")
            )
        except EmptyInputError:
            return failed(InvalidInput("There is nothing to go on with: give an input.", param="input"))
        except InvalidUpdateError:
            return failed(InvalidInput("The graph cannot take this input.", param="input"))
        except WaysideError as error:
            return failed(error)
        except Exception as error:
            # Whatever a graph raises is the end of its run and must not be the end of the worker.
            logs.logger.error("run failed", run_id=run.id, assistant=run.assistant_id, **logs.describe(error))
            return failed(error)

    async def outcome(self) -> Outcome:
        """What the thread's newest checkpoint says of a run that stopped by itself."""
        state = await self._graph.aget_state(self._latest)
        resting = bool(state.interrupts or state.next)
        status = RunStatus.INTERRUPTED if resting else RunStatus.SUCCESS
        thread = ThreadStatus.INTERRUPTED if resting else ThreadStatus.IDLE
        output = self._assistant.visible(state.values)
        if state.interrupts:
            output = {**output, "__interrupt__": list(state.interrupts)}
        last = encode({"run_id": self._run.id, "status": status.value})
        return Outcome(status, ("end", last), thread, output=encode(output))

    async def _begun(self) -> StateSnapshot | None:
        """The state that an earlier attempt has reached; None when the input has still to be given."""
        newest = await self._saver.aget_tuple(self._latest)
        newest_id = newest.checkpoint["id"] if newest else ""
        if self.base is None:
            await finished(self._queue.begin(self._claimed, newest_id))
            self.base = newest_id
        elif newest_id != self.base:
            return await self._graph.aget_state(self._latest)
        if "resume" in self._run.request:
            state = await self._graph.aget_state(self._latest)
            waiting = {each.id for each in state.interrupts}
            if not waiting.issuperset(self._run.request["resume"]):
                raise Conflict("The interrupt waits no more: the thread went on.", code="no_interrupt")
        return None

    def _rests(self, state: StateSnapshot) -> bool:
        """Whether an earlier attempt had come to its end, and only its word for that is missing."""
        before = self._run.request.get("interrupt_before") or ()
        stopped = bool(state.next) and (before == "*" or bool(set(state.next) & set(before)))
        return bool(state.interrupts) or not state.next or stopped

    def _input(self) -> Any:
        request = self._run.request
        if "resume" in request:
            return Command(resume=request["resume"])
        return None if request.get("input") is None else self._assistant.accept(request["input"])

    async def _stream(self, given: Any, recorder: Recorder) -> None:
        run, request = self._run, self._run.request
        configurable: dict[str, Any] = {"thread_id": run.checkpoint_key}
        if given is not None and request.get("checkpoint_id"):
            configurable |= {"checkpoint_ns": "", "checkpoint_id": request["checkpoint_id"]}
        config: RunnableConfig = {"configurable": configurable, "run_id": uuid.UUID(run.id)}
        config["metadata"] = {"run_id": run.id, "assistant_id": run.assistant_id}
        config["tags"] = list(request.get("tags") or ())
        if request.get("recursion_limit"):
            config["recursion_limit"] = request["recursion_limit"]
        # Closed before anything else happens: a graph that is left to the collector, when what it told of is being
        # written as the run is stopped, goes on for a while, and writes down answers that were forgotten meanwhile.
        async with aclosing(self._pieces(given, config)) as pieces:
            async for namespace, mode, chunk in pieces:
                await self._record(namespace, mode, chunk, recorder)

    async def _pieces(self, given: Any, config: RunnableConfig) -> AsyncGenerator[Piece, None]:
        request, assistant = self._run.request, self._assistant
        # Whoever follows it or not: what was told is booked, and each step is noted.
        modes = {mode for mode in self._wanted if mode not in _TOLD_BY_US} | {"custom", "tasks"}
        if assistant.text is None and {"messages", "messages-tuple"} & set(self._wanted):
            modes.add("messages")
        options: dict[str, Any] = {
            "context": assistant.context(self._run),
            "stream_mode": sorted(modes),
            "output_keys": list(assistant.shown) if assistant.shown is not None else None,
            "interrupt_before": request.get("interrupt_before"),
            "interrupt_after": request.get("interrupt_after"),
            "durability": request.get("durability") or assistant.durability,
            # Always, so that pieces come in one shape; those of subgraphs are told only where they were asked for.
            "subgraphs": True,
        }
        if "events" not in self._wanted:
            stream = cast("AsyncGenerator[Piece, None]", self._graph.astream(given, config, **options))
            async with aclosing(stream):
                async for piece in stream:
                    yield piece
            return
        told = self._graph.astream_events(given, config, version="v2", **options)
        events = cast("AsyncGenerator[dict[str, Any], None]", told)
        async with aclosing(events):
            async for event in events:
                yield (), "events", event
                if event["event"] == "on_chain_stream" and event["run_id"] == self._run.id:
                    yield cast("Piece", event["data"]["chunk"])

    async def _record(self, namespace: tuple[str, ...], mode: str, chunk: Any, recorder: Recorder) -> None:
        assistant = self._assistant
        told = not namespace or bool(self._run.request.get("subgraphs"))
        suffix = "".join(f"|{each}" for each in namespace)
        if mode == "messages":
            if told:
                for name, value in self._message_events(namespace, suffix).of(*chunk):
                    await recorder.add(name, value)
            return
        if mode == "tasks":
            self.steps.task(chunk)
        if mode == "custom":
            self.steps.custom(chunk)
            await self._book(self._run.principal, chunk)
            text = assistant.text(chunk) if assistant.text is not None else None
            if told and text:
                message = checked(text, self._run.id, assistant.id)
                for name, value in self._message_events(namespace, suffix).of(*message):
                    await recorder.add(name, value)
            chunk = assistant.describe(chunk)
        if told and mode in self._wanted:
            await recorder.add(mode + suffix, assistant.visible(chunk) if mode == "values" else chunk)

    def _message_events(self, namespace: tuple[str, ...], suffix: str) -> MessageEvents:
        return self._messages.setdefault(namespace, MessageEvents(self._wanted, suffix))


def failed(error: Exception) -> Outcome:
    """The end of a run that an error ended."""
    return Outcome(
        RunStatus.ERROR,
        ("error", encode(body_of(error))),
        ThreadStatus.ERROR,
        output=encode({"__error__": {**body_of(error)["error"], "error": body_of(error)["code"]}}),
    )
