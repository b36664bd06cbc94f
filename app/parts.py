"""What may stand in a message besides text, as OpenAI's clients send it: documents, pictures and voice notes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidInput, UnsupportedParameter

MEDIA = frozenset({"image_url", "input_audio", "file"})


class FileData(BaseModel):
    """A file's name, and its bytes as a data URL or as plain base64."""

    model_config = ConfigDict(extra="forbid")

    filename: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    file_data: str


class FilePart(BaseModel):
    """A document within a message, as OpenAI's clients send it: txt, md, html, pdf or docx."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["file"]
    file: FileData


class ImageUrl(BaseModel):
    """A picture as a data URL, or by its URL where the settings allow that. It is always read in full detail."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1)]
    detail: Literal["auto", "high"] | None = None


class ImagePart(BaseModel):
    """A picture within a message."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["image_url"]
    image_url: ImageUrl


class AudioData(BaseModel):
    """A voice note in base64. Its type is told by its bytes; `format` is what the client calls it."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[str, Field(min_length=1)]
    format: Literal["wav", "mp3", "ogg", "opus", "flac", "m4a", "webm"]


class AudioPart(BaseModel):
    """A voice note within a message: what is said in it counts as what is written."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["input_audio"]
    input_audio: AudioData


MediaPart = FilePart | ImagePart | AudioPart


@dataclass(frozen=True, slots=True)
class Sent:
    """A document as a client sent it. `where` is the path of its content in the request, for errors."""

    name: str | None
    data: str
    where: str


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A picture as a client sent it: a data URL, or a URL to fetch."""

    url: str
    where: str


@dataclass(frozen=True, slots=True)
class SentVoice:
    """A voice note as a client sent it, in base64."""

    data: str
    where: str


SentMedia = Sent | SentPicture | SentVoice


def sent(content: Any, where: str) -> list[SentMedia]:
    """What is attached by the parts of a message's content, which stands at `where` in the request."""
    if not isinstance(content, list):
        return []
    found = list[SentMedia]()
    for place, part in enumerate(content):
        match part:
            case FilePart():
                found.append(Sent(part.file.filename, part.file.file_data, f"{where}.{place}.file.file_data"))
            case ImagePart():
                found.append(SentPicture(part.image_url.url, f"{where}.{place}.image_url.url"))
            case AudioPart():
                found.append(SentVoice(part.input_audio.data, f"{where}.{place}.input_audio.data"))
    return found


def refuse_media(messages: Any, where: str, *, media: Iterable[str] = ()) -> None:
    """Refuse, by name, parts that a schema could only call unknown. `media` are the roles that may attach anything."""
    allowed = frozenset(media)
    for i, message in enumerate(messages if isinstance(messages, list) else ()):
        content = message.get("content") if isinstance(message, dict) else None
        for j, part in enumerate(content if isinstance(content, list) else ()):
            kind = part.get("type") if isinstance(part, dict) else None
            if not isinstance(kind, str) or kind not in MEDIA:
                continue
            place = f"{where}.{i}.content.{j}"
            if not any(message.get(field) == role for field in ("role", "type") for role in allowed):
                raise UnsupportedParameter(f"Content of type {kind} is not supported here.", param=f"{place}.type")
            if isinstance(part.get("file"), dict) and part["file"].get("file_id") is not None:
                why = "There are no stored files to name: send the file itself, as file_data."
                raise UnsupportedParameter(why, param=f"{place}.file.file_id")


def decoded(data: str, what: str, where: str) -> tuple[bytes, str]:
    """The bytes of a data URL or of plain base64, and the type that a data URL names (empty where it names none).

    Raises `InvalidInput` for what is neither; `what` is what it calls the thing.
    """
    head, comma, content = data.partition(",")
    media_type = ""
    if not comma:
        content = data
    elif head.startswith("data:") and head.endswith(";base64"):
        media_type = head.removeprefix("data:").removesuffix(";base64")[:200]
    else:
        raise InvalidInput(f"{what} is a data URL, data:<type>;base64,<content>, or base64.", param=where)
    try:
        return base64.b64decode(content, validate=True), media_type
    except (binascii.Error, ValueError) as problem:
        raise InvalidInput(f"{what} is not valid base64.", param=where) from problem
