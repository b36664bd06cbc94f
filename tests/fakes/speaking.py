"""The assistant `wayside` with a script: it tells the pieces that a test gave it for what it is asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt

from app.runs.assistants import ConfiguredAssistant
from core.errors import InvalidInput
from core.types import Answer, Citation, Interrupted, TextDelta, Usage, Verdict

SPEAKER = "wayside"
CITATION = Citation(1, "doc-1", "Returns", ("Tents",), "within 30 days", 20, 34, 0.75, Verdict.VERBATIM)
SAID = ("You can ", "return a tent ", "within 30 days. [1]")
USED = Usage(12, 9)
ENDLESS = [*([TextDelta("and on "), 0.05] * 2000)]


class Spoken(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    waits: str


def spoken(*texts: str, thread: str = "", usage: Usage = USED, **options: Any) -> list[Any]:
    """An answer in these stretches, with one citation where it has the mark."""
    text = "".join(texts)
    citations = (CITATION,) if "[1]" in text else ()
    answer = Answer(thread, text, citations, declined=False, engine="embedded", usage=usage, **options)
    return [*map(TextDelta, texts), answer]


def speaking_assistant(
    saver: BaseCheckpointSaver[Any] | None, scripts: Mapping[str, Sequence[Any]]
) -> ConfiguredAssistant:
    """Of a script a number is a pause in seconds, an exception is raised, and the rest is told as it is.

    After an `Interrupted` the graph waits. What no script is for is answered with `SAID`; "system?" with the newest
    system message, "again?" with the first question.
    """

    async def speak(state: Spoken) -> Spoken:
        write, heard, waits = get_stream_writer(), state["messages"], ""
        pieces = scripts.get(str(heard[-1].text), _answered(heard))
        for piece in pieces:
            if isinstance(piece, int | float):
                await asyncio.sleep(piece)
            elif isinstance(piece, Exception):
                raise piece
            else:
                write(piece)
            waits = piece.approval if isinstance(piece, Interrupted) else waits
        said = [piece.text for piece in pieces if isinstance(piece, Answer)]
        return {"messages": [AIMessage("".join(said))], "waits": waits}

    async def wait(state: Spoken) -> Spoken:
        interrupt({"approval": state["waits"]})
        return {}

    graph = StateGraph(Spoken)
    graph.add_node("speak", speak)
    graph.add_node("wait", wait)
    graph.add_edge(START, "speak")
    graph.add_conditional_edges("speak", lambda state: "wait" if state["waits"] else END, ["wait", END])
    return ConfiguredAssistant(
        SPEAKER,
        "Says what it is told.",
        graph.compile(checkpointer=saver, name=SPEAKER),
        lambda *_: None,
        _accept,
        modes=("values", "updates", "messages", "messages-tuple", "custom"),
        describe=_describe,
        text=lambda piece: piece.text if isinstance(piece, TextDelta) else None,
    )


def _answered(heard: Sequence[AnyMessage]) -> list[Any]:
    asked = str(heard[-1].text)
    if asked == "system?":
        return spoken(*[str(each.text) for each in heard if isinstance(each, SystemMessage)][-1:])
    if asked == "again?":
        return spoken(str(next(each.text for each in heard if isinstance(each, HumanMessage))))
    return spoken(*SAID)


def _accept(given: Any) -> dict[str, Any]:
    if not given["messages"] or given["messages"][-1]["role"] != "user":
        raise InvalidInput("the last message must be the user's", param="input.messages")
    return {"messages": [(each["role"], each["content"]) for each in given["messages"]]}


def _describe(piece: Any) -> Any:
    if isinstance(piece, dict):
        return piece
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(piece).__name__).lower()
    return {"type": kind, **{each.name: getattr(piece, each.name) for each in fields(piece)}}
