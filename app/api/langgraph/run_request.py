"""A request for a run in the protocol's words: checked, and turned into an order for admission.

What is not honoured is refused here; nothing is taken and ignored.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.runs.admission import Order, Strategy
from app.runs.assistants import ConfiguredAssistant
from app.runs.owner import THREAD_ID, Owner
from app.runs.resuming import Resumption
from app.runs.runs import Runs
from core.errors import InvalidInput, UnsupportedParameter
from core.types import Principal

Mode = Literal[
    "values",
    "messages",
    "updates",
    "events",
    "tasks",
    "checkpoints",
    "debug",
    "custom",
    "messages-tuple",
    "tools",
    "lifecycle",
]
NodeNames = Literal["*"] | list[Annotated[str, Field(max_length=200)]]
ThreadId = Annotated[str, Field(pattern=rf"^{THREAD_ID.pattern}$")]
Metadata = dict[Annotated[str, Field(max_length=200)], Any]
_LONGEST_DELAY = 366 * 24 * 3600

# Parameters of the protocol that are refused whatever they say, and why.
REFUSED: Mapping[str, str] = {
    "webhook": "Webhooks are not sent: follow the run's stream, or join it.",
    "feedback_keys": "Feedback links are not made.",
    "langsmith_tracer": "Traces go where the server's settings say.",
    "context": "An assistant's context is made by the server.",
    "checkpoint_during": "Use durability.",
}


class Command(BaseModel):
    """What a run does instead of taking input: resume with an answer to an interrupt."""

    model_config = ConfigDict(extra="forbid")

    resume: Any = None
    update: Any = None
    goto: Any = None


class RunConfig(BaseModel):
    """Tags and the limit of steps; nothing is configurable by clients."""

    model_config = ConfigDict(extra="forbid")

    tags: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=50)
    recursion_limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    configurable: dict[str, Any] | None = None


class CheckpointRef(BaseModel):
    """A checkpoint of the thread itself."""

    model_config = ConfigDict(extra="forbid")

    thread_id: str | None = None
    checkpoint_ns: Literal[""] = ""
    checkpoint_id: str | None = None
    checkpoint_map: dict[str, Any] | None = None


class RunShape(BaseModel):
    """What runs and crons have in common."""

    model_config = ConfigDict(extra="forbid")

    assistant_id: str
    input: Any = None
    config: RunConfig | None = None
    context: Any = None
    metadata: Metadata | None = None
    stream_mode: Mode | list[Mode] | None = None
    stream_subgraphs: bool = False
    stream_resumable: bool = Field(False, description="streams can be resumed in any case")
    interrupt_before: NodeNames | None = None
    interrupt_after: NodeNames | None = None
    webhook: Any = None
    checkpoint_during: Any = None
    multitask_strategy: Strategy = "enqueue"
    durability: Literal["sync", "async", "exit"] | None = None

    async def request(self, assistant: ConfiguredAssistant, principal: Principal) -> dict[str, Any]:
        """The part of an order that the worker reads. Raises `InvalidInput` and `UnsupportedParameter`."""
        for name, why in REFUSED.items():
            if getattr(self, name, None) is not None:
                raise UnsupportedParameter(why, param=name)
        config = self.config or RunConfig()
        if config.configurable:
            raise UnsupportedParameter("Nothing is configurable by clients.", param="config.configurable")
        modes = [self.stream_mode] if isinstance(self.stream_mode, str) else self.stream_mode
        nodes = set(assistant.graph.nodes) - {"__start__"}
        for name in ("interrupt_before", "interrupt_after"):
            wanted = getattr(self, name)
            unknown = set(wanted or ()) - nodes if wanted != "*" else set()
            if unknown:
                raise InvalidInput(f"{assistant.id} has no node {min(unknown)!r}.", param=name)
        offered = assistant.offering(list(modes) if modes else ["values"])
        durability = assistant.strengthened(self.durability)
        given = None
        if self.input is not None:
            given = await assistant.prepare(principal, self.input)
            assistant.accept(given)
        return {
            "input": given,
            "modes": offered,
            "subgraphs": self.stream_subgraphs,
            "interrupt_before": self.interrupt_before,
            "interrupt_after": self.interrupt_after,
            "tags": config.tags,
            "recursion_limit": config.recursion_limit,
            "durability": durability,
        }


class RunRequest(RunShape):
    """The body of every request for a run."""

    command: Command | None = None
    checkpoint: CheckpointRef | None = None
    checkpoint_id: str | None = None
    feedback_keys: Any = None
    langsmith_tracer: Any = None
    if_not_exists: Literal["create", "reject"] = "reject"
    on_disconnect: Literal["cancel", "continue"] = "continue"
    on_completion: Literal["delete", "keep"] | None = None
    after_seconds: Annotated[float, Field(ge=0, le=_LONGEST_DELAY)] = 0
    strict_resume: Literal[True] | None = Field(None, description="an answer that nobody waits for is always refused")


class BatchedRun(RunRequest):
    """One of several requests; without a thread it is stateless."""

    thread_id: ThreadId | None = None


async def order(
    runs: Runs, principal: Principal, body: RunRequest, thread_id: str | None, key: str | None, fingerprint: str
) -> Order:
    """The order that the body asks for on the thread, or on one of its own. Raises what admission does not."""
    assistant = runs.assistants.get(body.assistant_id)
    request = await body.request(assistant, principal)
    stateless = thread_id is None
    if thread_id is None:
        for name in ("command", "checkpoint", "checkpoint_id"):
            if getattr(body, name) is not None:
                raise UnsupportedParameter("A stateless run begins anew.", param=name)
        # The same key names the same thread, where both requests meet.
        seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{principal.tenant}/{principal.key_id}/{key}")
        thread_id = str(seed if key else uuid.uuid4())
    elif body.on_completion == "delete":
        raise UnsupportedParameter("Only a stateless run deletes its thread.", param="on_completion")
    request["checkpoint_id"] = await _checkpoint(runs, principal, body, assistant, thread_id)
    return Order(
        principal=principal,
        thread_id=thread_id,
        assistant_id=assistant.id,
        request=request,
        labels=body.metadata or {},
        strategy=body.multitask_strategy,
        create=stateless or body.if_not_exists == "create",
        ephemeral=stateless and body.on_completion != "keep",
        after_seconds=body.after_seconds,
        key=key,
        fingerprint=fingerprint if key else None,
        resumption=_resumption(runs, principal, body, assistant, thread_id),
    )


async def _checkpoint(
    runs: Runs, principal: Principal, body: RunRequest, assistant: ConfiguredAssistant, thread_id: str
) -> str | None:
    if body.checkpoint is not None and body.checkpoint.checkpoint_map:
        raise UnsupportedParameter("Runs begin at checkpoints of the thread itself.", param="checkpoint.checkpoint_map")
    chosen = body.checkpoint_id or (body.checkpoint.checkpoint_id if body.checkpoint else None)
    if chosen is None:
        return None
    assistant.steering("checkpoint_id")
    if body.checkpoint is not None and body.checkpoint.thread_id not in (None, thread_id):
        raise InvalidInput("The checkpoint is of another thread.", param="checkpoint.thread_id")
    await runs.states.get(await runs.threads.get(Owner.of(principal), thread_id), chosen)
    return chosen


def _resumption(
    runs: Runs, principal: Principal, body: RunRequest, assistant: ConfiguredAssistant, thread_id: str
) -> Resumption | None:
    command = body.command
    if command is None:
        return None
    for name in ("update", "goto"):
        if getattr(command, name) is not None:
            raise UnsupportedParameter("A command resumes, and does nothing else.", param=f"command.{name}")
    if command.resume is None:
        raise InvalidInput("A command needs an answer to resume with.", param="command.resume")
    if body.input is not None:
        raise InvalidInput("A run takes input or resumes, not both.", param="input")
    if body.checkpoint is not None or body.checkpoint_id is not None:
        raise UnsupportedParameter("An answer goes to the thread's newest state.", param="checkpoint_id")
    read = runs.waiting(principal, thread_id)
    return Resumption(command.resume, read, lambda interrupt, value: assistant.answer(principal, interrupt, value))
