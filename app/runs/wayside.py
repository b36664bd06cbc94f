"""The agents' graph as an assistant: what a client may say to it, and what it tells while it runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Literal, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents import attached, observed
from agents.graph import AssistantContext, Graph
from app.findings import place
from app.observing import Observing, stored
from app.parts import MediaPart, refuse_media, sent
from app.runs.assistants import ConfiguredAssistant
from app.runs.rows import Run
from core.canonical import storable
from core.errors import InvalidInput, TooLarge
from core.media import Observed
from core.types import Answer, Interrupted, ModelSpoke, Principal, TextDelta, ToolCalled, ToolResult

WAYSIDE = "wayside"
UNHEARD = "unheard"
"""In a run's request: nobody is on the line, so what it says is told again when somebody asks."""

_TOLD = (TextDelta, ToolCalled, ToolResult, Interrupted, ModelSpoke, Observed, Answer)

_SPEAKERS: dict[str, Callable[..., BaseMessage]] = {
    "system": SystemMessage,
    "developer": SystemMessage,
    "user": HumanMessage,
    "human": HumanMessage,
    "assistant": AIMessage,
    "ai": AIMessage,
}
Speaker = Literal["system", "developer", "user", "human", "assistant", "ai"]


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["text"]
    text: str


class _Packed(BaseModel):
    """A file that was read, as `agents.attached.pack` has it."""

    id: str
    name: str
    text: str
    passages: list[tuple[list[str], int, int]]


class _Read(BaseModel):
    type: Literal["attachment"]
    attachment: _Packed


class _Observed(BaseModel):
    """What was made out in pictures and voice notes, as `agents.observed.pack` has it."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["observed"]
    observed: Observed


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    name: str


class _Known(BaseModel):
    """What came with a message, as a thread shows it. It is there already, and is not sent again by its name."""

    model_config = ConfigDict(extra="forbid")

    attachments: list[_Named] = []
    observed: dict[str, Any] = {}


class _Said(BaseModel):
    """One message as OpenAI or LangChain writes it. What LangChain adds to messages it has made says nothing new."""

    model_config = ConfigDict(extra="forbid")

    role: Speaker | None = None
    type: Speaker | None = None
    content: Any
    id: Annotated[str, Field(max_length=200)] | None = None
    name: None = None
    additional_kwargs: _Known = _Known()
    response_metadata: dict[str, Any] = {}
    example: Literal[False] = False

    def message(self) -> BaseMessage:
        """LangChain's message."""
        speaker = self.role or self.type
        if speaker is None:
            raise InvalidInput("A message has a role.", param="input.messages")
        parts = [] if isinstance(self.content, str) else self.content
        text = self.content if isinstance(self.content, str) else ""
        text += "".join(part.text for part in parts if isinstance(part, _Text))
        files = [part.attachment.model_dump() for part in parts if isinstance(part, _Read)]
        came: dict[str, Any] = {attached.FIELD: files} if files else {}
        for part in parts:
            if isinstance(part, _Observed):
                came[observed.FIELD] = observed.pack(part.observed)
        return _SPEAKERS[speaker](text, id=self.id, additional_kwargs=came)


class _SaidNow(_Said):
    content: str | list[Annotated[_Text | MediaPart, Field(discriminator="type")]]


class _SaidOnce(_Said):
    content: str | list[Annotated[_Text | _Read | _Observed, Field(discriminator="type")]]


class _Sent(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid")

    messages: Annotated[list[_SaidNow], Field(min_length=1, max_length=1000)]


class _Stored(BaseModel):
    """What is stored of it: its files are read in between."""

    model_config = ConfigDict(extra="forbid")

    messages: Annotated[list[_SaidOnce], Field(min_length=1, max_length=1000)]


def wayside_assistant(graph: Graph, *, characters: int, observing: Observing) -> ConfiguredAssistant:
    """The assistant `wayside`, the one that acts. `characters` is the most text in one request, files left aside.

    The model's own words are shown in no stream mode: what leaves has been checked against the documents. Its state
    says what was proposed and to whom, so it is nobody's to edit, and a thread that acts is not begun anew at an
    earlier place. An interrupt waits for an approval; what a resume brings as its answer is not believed.
    """

    async def prepare(principal: Principal, given: Any) -> Any:
        messages = given.get("messages") if isinstance(given, dict) else None
        refuse_media(messages, "input.messages", media=("user", "human"))
        said = _parsed(_Sent, given).messages
        media = [sent(each.content, f"input.messages.{i}.content") for i, each in enumerate(said)]
        if not any(media):
            return given
        kept = []
        for message, came in zip(given["messages"], await observing.read(principal.tenant, media), strict=True):
            content, made_out = message["content"], stored(came)
            parts = [part for part in content if part["type"] == "text"] if isinstance(content, list) else content
            kept.append({**message, "content": [*parts, *made_out] if made_out else parts})
        return {**given, "messages": kept}

    def messages(given: Any) -> list[BaseMessage]:
        said = [each.message() for each in _parsed(_Stored, given).messages]
        if sum(len(each.text) for each in said) > characters:
            raise TooLarge(f"The messages have more than {characters} characters.", param="input.messages")
        if not all(storable(str(each.text)) for each in said):
            raise InvalidInput("The messages hold a character that cannot be stored.", param="input.messages")
        return said

    def accept(given: Any) -> dict[str, Any]:
        said = messages(given)
        last = said[-1]
        if not isinstance(last, HumanMessage) or not (last.text.strip() or last.additional_kwargs):
            raise InvalidInput("The last message must be the user's and must have text.", param="input.messages")
        return {"incoming": said}

    return ConfiguredAssistant(
        id=WAYSIDE,
        description="Answers from the documents with citations, looks after orders and tickets, and buys stock.",
        graph=graph,
        context=_context,
        prepare=prepare,
        accept=accept,
        durability="sync",
        modes=("values", "updates", "messages", "messages-tuple", "custom"),
        shown=("messages", "question"),
        describe=_describe,
        text=_checked_text,
        question=_question,
        input_schema=_Sent.model_json_schema(),
    )


def _question(given: Any) -> str:
    if given is None:
        return ""
    asked = _parsed(_Stored, given).messages[-1].message()
    return attached.titled(str(asked.text), asked.additional_kwargs.get(attached.FIELD, ()))


Shape = TypeVar("Shape", bound=BaseModel)


def _parsed(shape: type[Shape], given: Any) -> Shape:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        # Of a choice of types, the finding that lies deepest is the one that came closest.
        first = max(error.errors(), key=lambda finding: len(finding["loc"]))
        where = ".".join(filter(None, ("input", place(first["loc"], given))))
        raise InvalidInput(f"{where}: {first['msg']}.", param=where) from error


def _context(run: Run) -> AssistantContext:
    return AssistantContext(run.principal.scope, run.thread_id, run.principal, listening=not run.request.get(UNHEARD))


def _describe(piece: Any) -> Any:
    """What the custom stream says: `type` is the piece's class in snake case, and its fields come along."""
    if not isinstance(piece, _TOLD):
        return piece
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(piece).__name__).lower()
    return {"type": kind, **{field.name: getattr(piece, field.name) for field in fields(piece)}}


def _checked_text(piece: Any) -> str | None:
    return piece.text if isinstance(piece, TextDelta) else None
