"""A small graph that does what graphs do: takes a while, streams, asks, and acts on the world."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.runs.assistants import ConfiguredAssistant
from app.runs.rows import Run
from core.errors import InvalidInput, WaysideError
from core.types import Answer, Usage

STEPS = "steps"


class Steps(TypedDict, total=False):
    """What the graph is to do (see `Instructions`), and what it has done (`done`)."""

    text: str
    pieces: int
    pause: float
    ask: str
    act: str
    fail: str
    bill: int
    done: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]
    answer: Any


class Instructions(BaseModel):
    """What a test may ask for. `pause` is the seconds between two of the `pieces`; `bill` the tokens that it costs."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=1000)
    pieces: int = Field(0, ge=0, le=1000)
    pause: float = Field(0.0, ge=0, le=30)
    ask: str = ""
    act: str = ""
    fail: Literal["", "clearly", "badly"] = ""
    bill: int = Field(0, ge=0, le=1000)


class FailedClearly(WaysideError):
    code = "failed_clearly"


def build_steps(
    saver: BaseCheckpointSaver[Any] | None, act: Callable[[str], Awaitable[None]]
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """begin → work (streams `pieces`) → speak (a model's words) → ask (an interrupt) → act → end."""

    async def begin(state: Steps) -> Steps:
        return {"done": ["begin"]}

    async def work(state: Steps) -> Steps:
        write = get_stream_writer()
        for number in range(state.get("pieces", 0)):
            write({"piece": number})
            await asyncio.sleep(state.get("pause", 0.0))
        if bill := state.get("bill"):
            write(Answer("", "", (), declined=False, engine="echo", usage=Usage(bill, bill)))
        if state.get("fail") == "clearly":
            raise FailedClearly("as it was told")
        if state.get("fail") == "badly":
            raise RuntimeError("a secret of the server's")
        return {"done": ["work"]}

    async def speak(state: Steps) -> Steps:
        if not state.get("text"):
            return {}
        model = GenericFakeChatModel(messages=iter([AIMessage(state["text"])]))
        return {"messages": [await model.ainvoke("say it")]}

    async def ask(state: Steps) -> Steps:
        if not state.get("ask"):
            return {}
        answer = interrupt({"question": state["ask"]})
        if answer == "fail":
            raise FailedClearly("as it was answered")
        if answer == "wait":
            await asyncio.sleep(60)
        return {"done": ["asked"], "answer": answer}

    async def do(state: Steps) -> Steps:
        if not state.get("act"):
            return {}
        await act(state["act"])
        return {"done": ["acted"]}

    graph = StateGraph(Steps)
    for node in (begin, work, speak, ask):
        graph.add_node(node.__name__, node)
    graph.add_node("act", do)
    for first, then in ((START, "begin"), ("begin", "work"), ("work", "speak"), ("speak", "ask"), ("ask", "act")):
        graph.add_edge(first, then)
    graph.add_edge("act", END)
    return graph.compile(checkpointer=saver, name=STEPS)


def steps_assistant(
    saver: BaseCheckpointSaver[Any] | None, act: Callable[[str], Awaitable[None]], **options: Any
) -> ConfiguredAssistant:
    """The graph as an assistant that lets everything be done with it."""

    def accept(given: Any) -> dict[str, Any]:
        try:
            return Instructions.model_validate(given).model_dump()
        except ValidationError as error:
            raise InvalidInput(f"input: {error.errors()[0]['msg']}", param="input") from error

    def edit(values: Any) -> Any:
        if values is not None and not set(values) <= {"text"}:
            raise InvalidInput("only the text can be edited", param="values")
        return values

    def context(_run: Run) -> None:
        return None

    return ConfiguredAssistant(
        STEPS,
        "Does what it is told.",
        build_steps(saver, act),
        context,
        accept,
        **{"steerable": True, "edit": edit, **options},
    )
