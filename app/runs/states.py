"""A thread's state, past states, and edits of it, in the protocol's shape."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.errors import InvalidUpdateError
from langgraph.types import Interrupt, StateSnapshot

from app.runs.assistants import Assistants, ConfiguredAssistant
from app.runs.encoding import plain
from app.runs.tables import ThreadStatus
from app.runs.threads import Thread, Threads
from app.runs.writers import Writers
from core.errors import InvalidInput, NotFound

Json = dict[str, Any]


class States:
    """Reads and edits the checkpoints of threads."""

    def __init__(self, assistants: Assistants, threads: Threads, writers: Writers) -> None:
        self._assistants = assistants
        self._threads = threads
        self._writers = writers

    async def get(self, thread: Thread, checkpoint_id: str | None = None, *, subgraphs: bool = False) -> Json:
        """The newest state, or that of a checkpoint. Raises `NotFound` when there is no such checkpoint."""
        assistant = self._assistants.get(thread.assistant_id)
        state = await assistant.graph.aget_state(_config(thread, checkpoint_id), subgraphs=subgraphs)
        if checkpoint_id is not None and state.created_at is None:
            raise NotFound(f"There is no checkpoint {checkpoint_id!r}.", param="checkpoint_id")
        return _view(thread, assistant, state)

    async def interrupts(self, thread: Thread) -> tuple[Interrupt, ...]:
        """What waits for an answer."""
        state = await self._assistants.get(thread.assistant_id).graph.aget_state(_config(thread))
        return tuple(state.interrupts)

    async def history(
        self, thread: Thread, *, limit: int, before: str | None, at: str | None, metadata: Json | None
    ) -> list[Json]:
        """Past states, newest first: those before a checkpoint, or from checkpoint `at` on."""
        assistant = self._assistants.get(thread.assistant_id)
        states = assistant.graph.aget_state_history(
            _config(thread, at),
            filter=metadata,
            before=_config(thread, before) if before else None,
            limit=limit,
        )
        return [_view(thread, assistant, state) async for state in states]

    async def update(
        self, thread: Thread, values: Json | None, *, as_node: str | None, checkpoint_id: str | None
    ) -> Json:
        """Write values as if a node had. Raises `Conflict` while the thread is busy, `InvalidInput` for what the
        graph cannot take, and what the assistant's `edit` raises.
        """
        assistant = self._assistants.get(thread.assistant_id)
        if as_node is not None:
            assistant.steering("as_node")
            if as_node not in assistant.graph.nodes:
                raise InvalidInput(f"{assistant.id} has no node {as_node!r}.", param="as_node")
        if checkpoint_id is not None:
            assistant.steering("checkpoint_id")
            await self.get(thread, checkpoint_id)
        edited = assistant.edit(values)
        async with self._writers.held(thread.owner, thread.id, assistant.id):
            try:
                config = await assistant.graph.aupdate_state(_config(thread, checkpoint_id), edited, as_node)
            except InvalidUpdateError as error:
                raise InvalidInput(
                    "The graph cannot take this update; name a node in as_node.", param="values"
                ) from error
            state = await assistant.graph.aget_state(_config(thread))
            resting = ThreadStatus.INTERRUPTED if state.next else ThreadStatus.IDLE
            await self._threads.rest(thread.owner, thread.id, resting)
        return {"checkpoint": _checkpoint(thread, config)}


def _config(thread: Thread, checkpoint_id: str | None = None) -> RunnableConfig:
    configurable = {"thread_id": thread.checkpoint_key, "checkpoint_ns": ""}
    return {"configurable": configurable | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}


def _view(thread: Thread, assistant: ConfiguredAssistant, state: StateSnapshot) -> Json:
    metadata = {name: value for name, value in (state.metadata or {}).items() if name != "thread_id"}
    return {
        "values": plain(assistant.visible(state.values)),
        "next": list(state.next),
        "checkpoint": _checkpoint(thread, state.config),
        "metadata": plain(metadata),
        "created_at": state.created_at,
        "parent_checkpoint": _checkpoint(thread, state.parent_config) if state.parent_config else None,
        "tasks": [_task(thread, assistant, task) for task in state.tasks],
        "interrupts": plain(list(state.interrupts)),
    }


def _task(thread: Thread, assistant: ConfiguredAssistant, task: Any) -> Json:
    nested = task.state
    return {
        "id": task.id,
        "name": task.name,
        "error": type(task.error).__name__ if task.error is not None else None,
        "interrupts": plain(list(task.interrupts)),
        "checkpoint": _checkpoint(thread, nested) if isinstance(nested, dict) else None,
        "state": _view(thread, assistant, nested) if isinstance(nested, StateSnapshot) else None,
        "result": plain(assistant.visible(task.result)) if task.result is not None else None,
    }


def _checkpoint(thread: Thread, config: RunnableConfig | dict[str, Any]) -> Json:
    configurable = config.get("configurable", {})
    return {
        "thread_id": thread.id,
        "checkpoint_ns": configurable.get("checkpoint_ns", ""),
        "checkpoint_id": configurable.get("checkpoint_id"),
        "checkpoint_map": None,
    }
