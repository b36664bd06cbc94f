"""The body of a request for a response: what is honoured, and what is refused.

Nothing is accepted and then ignored. Every parameter of OpenAI's API (as of the client's version 3.54) is in `HONOURED`
or in `REFUSED`; one that is in neither is unknown and refused as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from app.api.chat_request import asks_for_nothing
from app.parts import Sent, SentMedia, SentPicture
from app.runs.wayside import WAYSIDE
from core.errors import InvalidInput, TooLarge, UnsupportedParameter


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter that is not honoured: the values that ask for nothing and so pass (null always does), and why."""

    neutral: tuple[Any, ...] = ()
    why: str = "It is not supported."


_OURS = f"The model {WAYSIDE} decides this itself."
HONOURED = frozenset(
    {"model", "input", "instructions", "previous_response_id", "stream", "background", "store", "metadata"}
)
REFUSED: Mapping[str, Refused] = {
    "temperature": Refused(why=_OURS),
    "top_p": Refused(why=_OURS),
    "top_logprobs": Refused((0,), _OURS),
    "max_output_tokens": Refused(why=_OURS),
    "max_tool_calls": Refused(why=_OURS),
    "tools": Refused(([],), f"The model {WAYSIDE} has its own tools."),
    "tool_choice": Refused(("auto",), f"The model {WAYSIDE} chooses its own tools."),
    "parallel_tool_calls": Refused((True,), _OURS),
    "reasoning": Refused(({},), _OURS),
    "text": Refused(({}, {"format": {"type": "text"}}), f"The model {WAYSIDE} answers in plain text."),
    "truncation": Refused(("disabled",), _OURS),
    "context_management": Refused(([],), _OURS),
    "conversation": Refused(why="Name the thread in metadata.thread_id, or continue with previous_response_id."),
    "include": Refused(([],), "Responses hold all there is to include."),
    "stream_options": Refused(({}, {"include_obfuscation": False}), "Streams are not obfuscated."),
    "background_options": Refused(({}, {"completion_window": "soonest"})),
    "image": Refused(({}, {"context_compression": "auto"})),
    "service_tier": Refused(("auto", "default")),
    "access_programs": Refused(),
    "moderation": Refused(),
    "prompt": Refused(),
    "prompt_cache_key": Refused(),
    "prompt_cache_options": Refused(({},)),
    "prompt_cache_retention": Refused(),
    "safety_identifier": Refused(),
    "user": Refused(),
}
_DECIDED_ELSEWHERE = "Approvals are decided by staff, at POST /api/approvals/{id}/decision, and by nobody else."
_OWN_ITEMS = f"The model {WAYSIDE} keeps what it did itself: continue with previous_response_id, or send messages only."
_OF_USERS = frozenset({"input_file", "input_image"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class InputText(_Strict):
    """A piece of what is said to the model."""

    type: Literal["input_text"]
    text: str


class InputFile(_Strict):
    """A document within a message: its bytes as a data URL or as plain base64."""

    type: Literal["input_file"]
    filename: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    file_data: str


class OutputText(_Strict):
    """A piece of what the model said before. Fields that our own answers carry may be sent back."""

    type: Literal["output_text"]
    text: str
    annotations: list[dict[str, JsonValue]] | None = None
    logprobs: list[JsonValue] | None = None


class InputImage(_Strict):
    """A picture within a message, as a data URL or by its URL; it is always read in full detail."""

    type: Literal["input_image"]
    image_url: Annotated[str, Field(min_length=1)]
    detail: Literal["auto", "high"] | None = None


InputPart = Annotated[InputText | InputFile | InputImage, Field(discriminator="type")]


class _Item(_Strict):
    type: Literal["message"] = "message"
    id: Annotated[str, Field(max_length=200)] | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class InputMessage(_Item):
    """What the user says, or instructions in between."""

    role: Literal["user", "system", "developer"]
    content: str | Annotated[list[InputPart], Field(max_length=1000)]


class OutputMessage(_Item):
    """What the model said before."""

    role: Literal["assistant"]
    content: str | Annotated[list[OutputText], Field(max_length=1000)]


InputItem = Annotated[InputMessage | OutputMessage, Field(discriminator="role")]
Metadata = dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]]


class ResponseRequest(_Strict):
    """A request for a response of the model `wayside`."""

    model: Literal["wayside"]
    input: str | Annotated[list[InputItem], Field(min_length=1, max_length=1000)]
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=200)] | None = None
    stream: bool | None = None
    background: bool | None = None
    store: bool | None = None
    metadata: Annotated[Metadata, Field(max_length=16)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _honoured(cls, data: Any) -> Any:
        """Refuse by name what a look at the schema could only call unknown."""
        if not isinstance(data, dict):
            return data
        model = data.get("model")
        if isinstance(model, str) and model != WAYSIDE:
            message = f"Responses come from the model {WAYSIDE} only: ask any other at /v1/chat/completions."
            raise UnsupportedParameter(message, param="model")
        for name, value in data.items():
            if name in REFUSED and not asks_for_nothing(value, REFUSED[name].neutral):
                raise UnsupportedParameter(f"{name} is not honoured. {REFUSED[name].why}", param=name)
        _refuse_items(data.get("input"))
        return {name: value for name, value in data.items() if name not in REFUSED}

    @property
    def messages(self) -> list[dict[str, str]]:
        """The input as messages with `role` and `content`, their files left aside."""
        if isinstance(self.input, str):
            return [{"role": "user", "content": self.input}]
        return [{"role": item.role, "content": _text(item)} for item in self.input]

    @property
    def media(self) -> list[list[SentMedia]]:
        """What is attached to each message."""
        if isinstance(self.input, str):
            return [[]]
        return [_media(item, f"input.{i}.content") for i, item in enumerate(self.input)]

    def check(self, characters: int) -> None:
        """Raise `InvalidInput` when the input does not end with a user's words, `TooLarge` above `characters`."""
        messages = self.messages
        said = messages[-1]["content"].strip() or self.media[-1]
        if messages[-1]["role"] != "user" or not said:
            where = "input" if isinstance(self.input, str) else f"input.{len(messages) - 1}"
            raise InvalidInput("The last message must be the user's and must have text.", param=where)
        if len(self.instructions or "") + sum(len(each["content"]) for each in messages) > characters:
            raise TooLarge(f"Input and instructions are longer than {characters} characters in sum.", param="input")


def _text(item: InputMessage | OutputMessage) -> str:
    if isinstance(item.content, str):
        return item.content
    return "\n".join(part.text for part in item.content if isinstance(part, InputText | OutputText))


def _media(item: InputMessage | OutputMessage, where: str) -> list[SentMedia]:
    found = list[SentMedia]()
    for j, part in enumerate(item.content if not isinstance(item.content, str) else ()):
        if isinstance(part, InputFile):
            found.append(Sent(part.filename, part.file_data, f"{where}.{j}.file_data"))
        elif isinstance(part, InputImage):
            found.append(SentPicture(part.image_url, f"{where}.{j}.image_url"))
    return found


def _refuse_items(given: Any) -> None:
    for i, item in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(item, dict):
            continue
        kind = item.get("type", "message")
        if isinstance(kind, str) and kind != "message":
            why = _DECIDED_ELSEWHERE if kind == "mcp_approval_response" else _OWN_ITEMS
            raise UnsupportedParameter(f"Items of type {kind} are not taken. {why}", param=f"input.{i}.type")
        content = item.get("content")
        for j, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type") if isinstance(part, dict) else None
            if not isinstance(kind, str):
                continue
            if kind == "input_audio":
                why = "Content of type input_audio is taken at /v1/chat/completions, as OpenAI's API has it."
                raise UnsupportedParameter(why, param=f"input.{i}.content.{j}.type")
            if kind in _OF_USERS and item.get("role") in ("system", "developer"):
                # Whoever reads it is told that it is the user's.
                why = f"Content of type {kind} is the user's to send."
                raise UnsupportedParameter(why, param=f"input.{i}.content.{j}.type")
            for name in ("file_id", "file_url"):
                if kind in _OF_USERS and part.get(name) is not None:
                    why = "Files are not stored or fetched here: send the file itself, as file_data."
                    raise UnsupportedParameter(why, param=f"input.{i}.content.{j}.{name}")
