"""The knowledge graph as an assistant: what a client may say to it, and what it tells while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.knowledge import Graph, KnowledgeContext
from app.runs.assistants import ConfiguredAssistant
from core.errors import InvalidInput, TooLarge
from core.types import Answer, Principal, TextDelta

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


class _Said(BaseModel):
    """One message as OpenAI or LangChain writes it. What LangChain adds to messages it has made says nothing new."""

    model_config = ConfigDict(extra="forbid")

    role: Speaker | None = None
    type: Speaker | None = None
    content: str | list[_Text]
    id: Annotated[str, Field(max_length=200)] | None = None
    name: None = None
    additional_kwargs: Annotated[dict[str, Any], Field(max_length=0)] = {}
    response_metadata: dict[str, Any] = {}
    example: Literal[False] = False

    def message(self) -> BaseMessage:
        """LangChain's message."""
        speaker = self.role or self.type
        if speaker is None:
            raise InvalidInput("A message has a role.", param="input.messages")
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return _SPEAKERS[speaker](text, id=self.id)


class _Messages(BaseModel):
    model_config = ConfigDict(extra="forbid")

    messages: Annotated[list[_Said], Field(min_length=1, max_length=1000)]


def knowledge_assistant(graph: Graph, *, characters: int) -> ConfiguredAssistant:
    """The assistant `knowledge`. `characters` is the most text in one request.

    The model's own words are shown in no stream mode: what leaves has been checked against the documents.
    """

    def messages(given: Any) -> list[BaseMessage]:
        try:
            said = [each.message() for each in _Messages.model_validate(given).messages]
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("input", *first["loc"])))
            raise InvalidInput(f"{where}: {first['msg']}.", param=where) from error
        if sum(len(each.text) for each in said) > characters:
            raise TooLarge(f"The messages have more than {characters} characters.", param="input.messages")
        return said

    def accept(given: Any) -> dict[str, Any]:
        said = messages(given)
        if not isinstance(said[-1], HumanMessage) or not said[-1].text.strip():
            raise InvalidInput("The last message must be the user's and must have text.", param="input.messages")
        return {"incoming": said}

    def edit(values: Any) -> dict[str, Any]:
        return {"messages": messages(values)}

    return ConfiguredAssistant(
        id="knowledge",
        description="Answers questions from the documents, with citations.",
        graph=graph,
        context=_context,
        accept=accept,
        # Nothing in this graph acts on the world, so one checkpoint when it ends is enough.
        durability="exit",
        modes=("values", "updates", "messages", "messages-tuple", "custom"),
        shown=("messages", "question"),
        edit=edit,
        steerable=True,
        describe=_describe,
        text=_checked_text,
        input_schema=_Messages.model_json_schema(),
    )


def _context(principal: Principal, thread_id: str) -> KnowledgeContext:
    return KnowledgeContext(principal.scope, thread_id)


def _describe(piece: Any) -> Any:
    if isinstance(piece, TextDelta):
        return {"type": "text_delta", "text": piece.text}
    if isinstance(piece, Answer):
        return {"type": "answer", **{field.name: getattr(piece, field.name) for field in fields(piece)}}
    return piece


def _checked_text(piece: Any) -> str | None:
    return piece.text if isinstance(piece, TextDelta) else None
