"""A realtime session's configuration: what of the protocol is honoured. Everything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.canonical import storable
from core.errors import InvalidInput, UnsupportedParameter

INSTRUCTIONS = 10_000
# What pydantic calls a parameter that has no place here, or one place only.
_UNSUPPORTED = frozenset({"extra_forbidden", "none_required"})


class Strict(BaseModel):
    """Nothing unknown, nothing that is no number."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Pcm(Strict):
    """Signed 16-bit little-endian samples of one channel, 24,000 a second: the one format."""

    type: Literal["audio/pcm"] = "audio/pcm"
    rate: Literal[24000] = 24000


class ServerVad(Strict):
    """When a turn begins and ends, by whether somebody speaks."""

    type: Literal["server_vad"] = "server_vad"
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    prefix_padding_ms: Annotated[int, Field(ge=0, le=2000)] = 300
    silence_duration_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    create_response: bool = True
    interrupt_response: bool = True
    idle_timeout_ms: None = None


class Transcription(Strict):
    """Whether one is told what was heard, and what the recogniser may expect."""

    model: str | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] | None = None
    prompt: Annotated[str, Field(max_length=1000)] | None = None


class AudioInput(Strict):
    """What is listened to."""

    format: Pcm = Pcm()
    turn_detection: ServerVad | None = ServerVad()
    transcription: Transcription | None = None
    noise_reduction: None = None


class AudioOutput(Strict):
    """How it is spoken."""

    format: Pcm = Pcm()
    voice: str | None = None
    speed: Annotated[float, Field(ge=0.25, le=1.5)] = 1.0


class AudioConfig(Strict):
    """Both directions."""

    input: AudioInput = AudioInput()
    output: AudioOutput = AudioOutput()


class SessionConfig(Strict):
    """What `session.update` changes and `session.updated` tells.

    The agent calls its own tools, so none may be brought; there is no other limit to an answer than its own.
    """

    type: Literal["realtime"] = "realtime"
    model: Literal["wayside"] = "wayside"
    output_modalities: Annotated[list[Literal["audio", "text"]], Field(min_length=1, max_length=1)] = ["audio"]
    instructions: Annotated[str, Field(max_length=INSTRUCTIONS)] = ""
    audio: AudioConfig = AudioConfig()
    tools: Annotated[list[Any], Field(max_length=0)] = []
    tool_choice: Literal["auto"] = "auto"
    max_output_tokens: Literal["inf"] = "inf"
    truncation: Literal["auto"] = "auto"
    tracing: None = None
    include: None = None
    prompt: None = None
    parallel_tool_calls: None = None
    reasoning: None = None

    @property
    def spoken(self) -> bool:
        """Whether answers are spoken."""
        return self.output_modalities == ["audio"]

    def updated(self, given: Mapping[str, Any], voices: Sequence[str], recognisers: Sequence[str]) -> SessionConfig:
        """This configuration with what `given` names changed. Raises `InvalidInput` with the path of what is wrong.

        `voices` are those there are, the default first; `recognisers` are the names of the model that listens.
        """
        merged = _merged(self.model_dump(), given)
        try:
            made = SessionConfig.model_validate(merged)
        except ValidationError as problem:
            raise _refusal(problem) from None
        voice = made.audio.output.voice
        if voice is not None and voice not in voices:
            there = f"there is {', '.join(voices)}" if voices else "there is none"
            raise InvalidInput(f"There is no voice {voice!r}; {there}.", param="session.audio.output.voice")
        hears = made.audio.input.transcription
        if hears is not None and hears.model not in (None, *recognisers):
            raise InvalidInput(
                f"There is no model {hears.model!r} that listens; there is {' or '.join(recognisers)}.",
                param="session.audio.input.transcription.model",
            )
        if not storable(made.instructions):
            raise InvalidInput("A character of it cannot be stored.", param="session.instructions")
        return made


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both: dict[str, Any] = {**old}
    for name, value in new.items():
        known = both.get(name)
        both[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return both


def _refusal(problem: ValidationError) -> InvalidInput:
    first: Any = problem.errors()[0]
    param = ".".join(["session", *map(str, first["loc"])])
    if first["type"] in _UNSUPPORTED or param == "session.tools":
        return UnsupportedParameter(f"{param} is not supported.", param=param)
    return InvalidInput(f"{param}: {first['msg']}.", param=param)
