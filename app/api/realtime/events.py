"""The events that a client sends, and the shape of those that it gets."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from app.api.realtime.config import Strict
from app.errors import body_of
from core.errors import InvalidInput, UnsupportedOperation, UnsupportedParameter

Json = dict[str, Any]
EventId = Annotated[str, Field(max_length=512)] | None
Id = Annotated[str, Field(min_length=1, max_length=64)]


class Update(Strict):
    """Change the session."""

    type: Literal["session.update"]
    event_id: EventId = None
    session: Json


class Append(Strict):
    """More sound, as base64."""

    type: Literal["input_audio_buffer.append"]
    event_id: EventId = None
    audio: str


class Commit(Strict):
    """What was said so far is a message."""

    type: Literal["input_audio_buffer.commit"]
    event_id: EventId = None


class Clear(Strict):
    """Forget what was said since."""

    type: Literal["input_audio_buffer.clear"]
    event_id: EventId = None


class TextPart(Strict):
    """Written text."""

    type: Literal["input_text"]
    text: Annotated[str, Field(min_length=1)]


class AudioPart(Strict):
    """A recording in the session's format, as base64."""

    type: Literal["input_audio"]
    audio: str
    transcript: None = None


Part = Annotated[TextPart | AudioPart, Field(discriminator="type")]


class NewItem(Strict):
    """A message of the person's, or of the application's (`system`)."""

    type: Literal["message"]
    role: Literal["user", "system"]
    content: Annotated[list[Part], Field(min_length=1, max_length=16)]
    id: Id | None = None
    object: Literal["realtime.item"] | None = None
    status: Literal["completed"] | None = None


class Create(Strict):
    """Add a message."""

    type: Literal["conversation.item.create"]
    event_id: EventId = None
    item: NewItem
    previous_item_id: str | None = None


class Retrieve(Strict):
    """Tell an item again."""

    type: Literal["conversation.item.retrieve"]
    event_id: EventId = None
    item_id: str


class Truncate(Strict):
    """So much of a spoken answer was heard."""

    type: Literal["conversation.item.truncate"]
    event_id: EventId = None
    item_id: str
    content_index: Literal[0]
    audio_end_ms: Annotated[int, Field(ge=0)]


class Delete(Strict):
    """Take a message back that was not answered yet."""

    type: Literal["conversation.item.delete"]
    event_id: EventId = None
    item_id: str


class ResponseOptions(Strict):
    """How this one response differs from the session's."""

    output_modalities: Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)] | None = None
    conversation: Literal["auto"] | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None


class Respond(Strict):
    """Answer what was said."""

    type: Literal["response.create"]
    event_id: EventId = None
    response: ResponseOptions | None = None


class Cancel(Strict):
    """Stop speaking."""

    type: Literal["response.cancel"]
    event_id: EventId = None
    response_id: str | None = None


ClientEvent = Update | Append | Commit | Clear | Create | Retrieve | Truncate | Delete | Respond | Cancel
_READ: TypeAdapter[ClientEvent] = TypeAdapter(Annotated[ClientEvent, Field(discriminator="type")])
# Known to the protocol, and of no use over a WebSocket.
_ELSEWHERE = frozenset({"output_audio_buffer.clear", "transcription_session.update"})


def read(text: str | bytes) -> Json:
    """The event as plain JSON. Raises `InvalidInput` for what is none."""
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise InvalidInput("The event is not JSON.", code="invalid_json") from problem
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise InvalidInput("An event is an object with a type.", param="type")
    return event


def understood(event: Json) -> ClientEvent:
    """The event as what it is. Raises `InvalidInput`, which names the part that is wrong."""
    if event["type"] in _ELSEWHERE:
        raise UnsupportedOperation(f"{event['type']} is not supported here.", param="type")
    try:
        return _READ.validate_python(event)
    except ValidationError as problem:
        raise _refusal(problem, event) from None


def _refusal(problem: ValidationError, event: Json) -> InvalidInput:
    first: Any = problem.errors()[0]
    if first["type"] == "union_tag_invalid" and not first["loc"]:
        return InvalidInput(f"There is no event {event['type']!r}.", param="type")
    # Where the union of events or of parts was decided, its tag stands in the path.
    steps = [str(step) for step in first["loc"][1:] if step not in ("input_text", "input_audio")]
    param = ".".join(steps)
    if first["type"] == "extra_forbidden":
        return UnsupportedParameter(f"{param} is not supported.", param=param)
    if first["type"] in ("union_tag_invalid", "literal_error") and steps and steps[0] in ("item", "response"):
        return UnsupportedParameter(f"{param}: {first['msg']}.", param=param)
    return InvalidInput(f"{param}: {first['msg']}.", param=param)


def error(problem: BaseException, event_id: str | None = None) -> Json:
    """The `error` event. What is not ours says nothing of its inside."""
    return {"type": "error", "error": {**body_of(problem)["error"], "event_id": event_id}}


def new_id(kind: str) -> str:
    """A new name, such as `item_…`."""
    return f"{kind}_{secrets.token_hex(12)}"
