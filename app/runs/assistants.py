"""An assistant: a compiled graph, and what the world outside may do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Interrupt

from app.runs.rows import Run
from core.errors import InvalidInput, NotFound, UnsupportedParameter
from core.types import Principal

Durability = Literal["exit", "async", "sync"]
DURABILITIES: tuple[Durability, ...] = ("exit", "async", "sync")
MODES = ("values", "updates", "messages", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events")


def _as_it_is(value: Any) -> Any:
    return value


def _unchangeable(_values: Any) -> Any:
    raise UnsupportedParameter("The state of this assistant's threads cannot be edited.", param="values")


async def _unprepared(_principal: Principal, given: Any) -> Any:
    return given


def _nothing_asked(_given: Any) -> str:
    return ""


def _anybody(_principal: Principal, _interrupt: Interrupt, answer: Any) -> Any:
    return answer


@dataclass(frozen=True, slots=True)
class ConfiguredAssistant:
    """A graph under a name.

    * `context` makes the graph's context for a run; a client never sends one.
    * `prepare` makes, of a client's input, what is stored with its run: files are read then, once.
    * `accept` turns that into the graph's input, or raises `InvalidInput`.
    * `durability` is the least that a run gets: graphs that act on the world need `sync`.
    * `modes` are the stream modes on offer. A graph that checks what its model says offers none that shows the
      model's own words (`events`, `debug`), and gives the checked text of its custom pieces by `text`, from which
      the message modes are then made.
    * `shown` are the state's channels that leave (None: all).
    * `edit` turns a client's update of the state into the graph's, or refuses it. A graph that acts on the world
      keeps what it was allowed to do in its state, so the default refuses everything.
    * `steerable` allows to begin at past checkpoints and to update the state in a node's name.
    * `describe` turns a custom piece into JSON.
    * `input_schema` is the JSON schema of what `accept` takes, where that is not the graph's own input.
    * `question` reads off a client's input what was asked, for the timeline.
    * `answer` judges who answers an interrupt and how: it returns the value to resume with, or raises.
    """

    id: str
    description: str
    graph: CompiledStateGraph[Any, Any, Any, Any]
    context: Callable[[Run], Any]
    accept: Callable[[Any], Any] = _as_it_is
    durability: Durability = "sync"
    modes: tuple[str, ...] = MODES
    shown: tuple[str, ...] | None = None
    edit: Callable[[Any], Any] = _unchangeable
    steerable: bool = False
    describe: Callable[[Any], Any] = _as_it_is
    text: Callable[[Any], str | None] | None = None
    answer: Callable[[Principal, Interrupt, Any], Any] = _anybody
    question: Callable[[Any], str] = _nothing_asked
    input_schema: Mapping[str, Any] | None = None
    prepare: Callable[[Principal, Any], Awaitable[Any]] = _unprepared

    def strengthened(self, wanted: str | None) -> Durability:
        """The durability to run with. Raises `InvalidInput` when less is wanted than the assistant needs."""
        if wanted is None:
            return self.durability
        if wanted not in DURABILITIES or DURABILITIES.index(wanted) < DURABILITIES.index(self.durability):
            raise InvalidInput(f"{self.id} runs with durability {self.durability} or above.", param="durability")
        return wanted

    def steering(self, param: str) -> None:
        """Raise `UnsupportedParameter` when the graph's course is not the client's to choose."""
        if not self.steerable:
            raise UnsupportedParameter(f"{self.id} does not let its course be chosen.", param=param)

    def offering(self, modes: list[str]) -> list[str]:
        """The modes, when all are on offer. Raises `UnsupportedParameter`."""
        for mode in modes:
            if mode not in self.modes:
                offered = ", ".join(self.modes)
                raise UnsupportedParameter(
                    f"{self.id} has no stream mode {mode!r}; it has {offered}.", param="stream_mode"
                )
        return list(dict.fromkeys(modes))

    def visible(self, values: Any) -> Any:
        """The state's values without the channels that stay inside."""
        if self.shown is None or not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name in self.shown or name == "__interrupt__"}


class Assistants:
    """The configured assistants by id; the first is the one that speaks in threads made by chat."""

    def __init__(self, *configured: ConfiguredAssistant) -> None:
        self.all: Mapping[str, ConfiguredAssistant] = {each.id: each for each in configured}
        self.first = configured[0]

    def get(self, assistant_id: str | None) -> ConfiguredAssistant:
        """The assistant. Raises `NotFound`."""
        try:
            return self.all[self.first.id if assistant_id is None else assistant_id]
        except KeyError:
            raise NotFound(f"There is no assistant {assistant_id!r}.", param="assistant_id") from None
