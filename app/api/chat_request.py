"""The body of a chat-completion request: what is honoured, by which models, and what is refused.

Nothing is accepted and then ignored. Every parameter of OpenAI's API (as of the client's version 3.54) has its
line in `PARAMETERS`; one that is not there is unknown and refused as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from app.parts import MediaPart, SentMedia, refuse_media, sent
from app.runs.wayside import WAYSIDE
from core.errors import TooLarge, UnsupportedParameter


class For(Enum):
    """Which models honour a parameter."""

    ALL = "all"
    ENGINES = "engines"
    AGENT = "agent"
    NONE = "none"


# parameter → who honours it, and the values that ask for nothing and so are accepted (null always is).
PARAMETERS: Mapping[str, tuple[For, tuple[Any, ...]]] = {
    "model": (For.ALL, ()),
    "messages": (For.ALL, ()),
    "stream": (For.ALL, ()),
    "stream_options": (For.ALL, ()),
    "metadata": (For.AGENT, ({},)),
    "temperature": (For.ENGINES, ()),
    "top_p": (For.ENGINES, ()),
    "max_tokens": (For.ENGINES, ()),
    "max_completion_tokens": (For.ENGINES, ()),
    "stop": (For.ENGINES, ()),
    "seed": (For.ENGINES, ()),
    "frequency_penalty": (For.ENGINES, (0, 0.0)),
    "presence_penalty": (For.ENGINES, (0, 0.0)),
    "logit_bias": (For.ENGINES, ({},)),
    "logprobs": (For.ENGINES, (False,)),
    "top_logprobs": (For.ENGINES, ()),
    "response_format": (For.ENGINES, ({"type": "text"},)),
    "tools": (For.ENGINES, ()),
    "tool_choice": (For.ENGINES, ()),
    "parallel_tool_calls": (For.ENGINES, ()),
    "n": (For.NONE, (1,)),
    "store": (For.NONE, (False,)),
    "modalities": (For.NONE, (["text"],)),
    "service_tier": (For.NONE, ("auto", "default")),
    "audio": (For.NONE, ()),
    "function_call": (For.NONE, ()),
    "functions": (For.NONE, ()),
    "moderation": (For.NONE, ()),
    "prediction": (For.NONE, ()),
    "prompt_cache_key": (For.NONE, ()),
    "prompt_cache_options": (For.NONE, ()),
    "prompt_cache_retention": (For.NONE, ()),
    "reasoning_effort": (For.NONE, ()),
    "safety_identifier": (For.NONE, ()),
    "user": (For.NONE, ()),
    "verbosity": (For.NONE, ()),
    "web_search_options": (For.NONE, ()),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class TextPart(_Strict):
    """A piece of text within a message."""

    type: Literal["text"]
    text: str


Content = str | list[TextPart]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class SystemMessage(_Strict):
    """Instructions; `developer` is OpenAI's newer word for the same."""

    role: Literal["system", "developer"]
    content: Content
    name: Name | None = None


class UserMessage(_Strict):
    """What the user says; with the model `wayside`, documents, pictures and voice notes may come along."""

    role: Literal["user"]
    content: str | list[Annotated[TextPart | MediaPart, Field(discriminator="type")]]
    name: Name | None = None


class CalledFunction(_Strict):
    """A function and its arguments, which are JSON in a string."""

    name: Name
    arguments: str


class ToolCall(_Strict):
    """A call that the model asked for."""

    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(_Strict):
    """What the model said before. Fields that our own answers carry may be sent back."""

    role: Literal["assistant"]
    content: Content | None = None
    name: Name | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None
    annotations: list[dict[str, JsonValue]] | None = None


class ToolMessage(_Strict):
    """What a tool answered."""

    role: Literal["tool"]
    content: Content
    tool_call_id: str


ChatMessage = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class StreamOptions(_Strict):
    """What a stream carries besides text."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class FunctionDefinition(_Strict):
    """A function that the model may ask for; `parameters` is a JSON schema."""

    name: Name
    description: str | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class Tool(_Strict):
    """A tool; functions are the only kind."""

    type: Literal["function"]
    function: FunctionDefinition


class NamedFunction(_Strict):
    """A function by its name."""

    name: Name


class NamedTool(_Strict):
    """The one tool that must be called."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchema(_Strict):
    """A schema that the answer must follow."""

    name: Name
    description: str | None = None
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None


class ResponseFormat(_Strict):
    """Free text, any JSON object, or JSON by a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatRequest(_Strict):
    """A chat-completion request. Which parameters `wayside` and which the engines' models take: `PARAMETERS`."""

    model: Annotated[str, Field(min_length=1, max_length=200, examples=[WAYSIDE])]
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    seed: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        """Refuse by name what a look at the schema could only call unknown."""
        if not isinstance(data, dict):
            return data
        kept = {}
        wanted = For.AGENT if data.get("model") == WAYSIDE else For.ENGINES
        for name, value in data.items():
            honoured, neutral = PARAMETERS.get(name, (For.ALL, ()))
            if honoured in (For.ALL, wanted):
                kept[name] = value
            elif not asks_for_nothing(value, neutral):
                raise UnsupportedParameter(_why(name, honoured, data.get("model")), param=name)
        refuse_media(kept.get("messages"), "messages", media=("user",) if wanted is For.AGENT else ())
        return kept

    def check(self, characters: int) -> None:
        """Raise `TooLarge` when the messages' text is longer than `characters` in sum."""
        if sum(len(text_of(message)) for message in self.messages) > characters:
            raise TooLarge(f"The messages are longer than {characters} characters in sum.", param="messages")


def asks_for_nothing(value: Any, neutral: Collection[Any]) -> bool:
    """Whether this value of a parameter that is not honoured changes nothing, as null never does."""
    return value is None or any(value == each and type(value) is type(each) for each in neutral)


def text_of(message: ChatMessage) -> str:
    """All text of a message, its parts joined by newlines."""
    if isinstance(message.content, list):
        return "\n".join(part.text for part in message.content if isinstance(part, TextPart))
    return message.content or ""


def media_of(request: ChatRequest) -> list[list[SentMedia]]:
    """What came with each message; empty when nothing came with any."""
    media = [sent(message.content, f"messages.{i}.content") for i, message in enumerate(request.messages)]
    return media if any(media) else []


def _why(name: str, honoured: For, model: object) -> str:
    if honoured is For.ENGINES:
        return f"{name} is not supported with the model {WAYSIDE}, which decides this itself."
    if honoured is For.AGENT:
        return f"{name} is supported with the model {WAYSIDE} only, not with {model}."
    return f"{name} is not supported."
