"""The media gate: the one place that admits bytes of pictures and sound. Everything behind it trusts what it made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.confined import Bounds, Confined, Stopped, Why
from core.errors import InvalidInput, MissingExtra, TooLarge, UnreadableDocument, UnsupportedMedia
from core.media import RATE, Audio, Picture
from core.settings import MediaSettings
from multimodal.kinds import PICTURES, SOUNDS, Kind, kind_of

if TYPE_CHECKING:
    from core.types import Vector

# Children at work at the same time: pictures never wait for sound, nor sound for pictures.
_AT_ONCE = 2
_PICTURE_SECONDS = 20.0
_AUDIO_SECONDS = 30.0
# What the interpreter, the decoders and some copies of the file take; the pixels and samples come on top.
_MEMORY = 2**29
# A picture is there up to four times on its way, in four bytes a pixel.
_BYTES_PER_PIXEL = 16
_SAMPLE_BYTES = 2
_SLACK = 2**20


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def kind(content: bytes) -> Literal["picture", "audio"] | None:
    """Whether the bytes are a picture or sound of an admitted format, by what they are and not by any name."""
    found = kind_of(content)
    return None if found is None else "picture" if found in PICTURES else "audio"


class MediaGate:
    """Admits media within the limits of the settings. One for all doors, so that its children together stay few.

    Everything is decoded in a confined child process. With `spare`, one child of each sort that was once needed waits
    for the next file; `close` ends it. `installed` tells whether a package is there.
    """

    def __init__(
        self, settings: MediaSettings, *, spare: bool = False, installed: Callable[[str], bool] = _is_installed
    ) -> None:
        self._settings = settings
        self._installed = installed
        self._pictures = Confined("multimodal.pictures:admit", spare=spare)
        self._sounds = Confined("multimodal.sound:admit", spare=spare)
        self._picturing = asyncio.Semaphore(_AT_ONCE)
        self._sounding = asyncio.Semaphore(_AT_ONCE)

    async def picture(self, content: bytes, where: str) -> Picture:
        """The picture, upright and without metadata. `where` names the bytes in errors (their `param`).

        Raises `TooLarge` (`picture_too_large`, `too_many_pixels`, `too_many_frames`), `UnsupportedMedia`
        (`unsupported_media`), `UnreadableDocument` (`empty_media`, `unreadable_picture`) and `MissingExtra`.
        """
        limits = self._settings
        if len(content) > limits.picture_bytes:
            message = f"The picture has more than {limits.picture_bytes:,} bytes."
            raise TooLarge(message, param=where, code="picture_too_large")
        found = _expect(content, where, PICTURES, "picture")
        if not self._installed("PIL"):
            raise MissingExtra("pillow", "vision")
        largest = 2 * limits.picture_bytes + _SLACK
        request = {
            "kind": found,
            "pixels": limits.pixels,
            "frames": limits.frames,
            "bytes": largest,
        }
        memory = _MEMORY + _BYTES_PER_PIXEL * limits.pixels
        bounds = Bounds(_PICTURE_SECONDS, memory, 2 * largest)
        async with self._picturing:
            answer, made = await _call(self._pictures, request, content, bounds, where, "picture")
        return Picture(made, answer["media_type"], answer["width"], answer["height"])

    async def audio(self, content: bytes, where: str) -> Audio:
        """The sound, as everything here listens to it. `where` as for `picture`.

        Raises `TooLarge` (`audio_too_large`, `audio_too_long`), `UnsupportedMedia` (`unsupported_media`),
        `UnreadableDocument` (`empty_media`, `unreadable_audio`) and `MissingExtra`.
        """
        limits = self._settings
        if len(content) > limits.audio_bytes:
            raise TooLarge(
                f"The sound has more than {limits.audio_bytes:,} bytes.", param=where, code="audio_too_large"
            )
        found = _expect(content, where, SOUNDS, "sound")
        if not self._installed("av"):
            raise MissingExtra("av", "voice")
        request = {"kind": found, "seconds": limits.audio_seconds}
        size = int(limits.audio_seconds * RATE * _SAMPLE_BYTES)
        bounds = Bounds(_AUDIO_SECONDS, _MEMORY + 3 * size + 2 * limits.audio_bytes, size + _SLACK)
        async with self._sounding:
            _, made = await _call(self._sounds, request, content, bounds, where, "audio")
        return Audio(await asyncio.to_thread(_samples, made))

    async def close(self) -> None:
        """End the children that wait."""
        await asyncio.gather(self._pictures.close(), self._sounds.close())


def _expect(content: bytes, where: str, kinds: tuple[Kind, ...], noun: str) -> Kind:
    """The format of the content, which is one of `kinds`."""
    if not content:
        raise UnreadableDocument(f"The {noun} is empty: it has 0 bytes.", param=where, code="empty_media")
    found = kind_of(content)
    if found not in kinds or found is None:
        names = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
        raise UnsupportedMedia(f"The content is no {noun} that is read here: send {names}.", param=where)
    return found


async def _call(
    child: Confined, request: Mapping[str, Any], content: bytes, bounds: Bounds, where: str, noun: str
) -> tuple[dict[str, Any], bytes]:
    """The child's answer, with its refusals in the words of the gate."""
    name = "sound" if noun == "audio" else noun
    try:
        return await child.call(request, content, bounds)
    except InvalidInput as problem:
        raise type(problem)(problem.message, param=where, code=problem.code) from problem
    except Stopped as stopped:
        if stopped.why is Why.ANSWER:
            message = f"The {name} becomes larger than {bounds.answer:,} bytes when it is read."
            raise TooLarge(message, param=where, code=f"{noun}_too_large") from stopped
        reasons = {
            Why.TIME: f"could not be read within {bounds.seconds:g} seconds",
            Why.MEMORY: f"needs more than {bounds.memory // 2**20:,} MB of memory to be read",
            Why.CRASH: "is damaged: it cannot be decoded",
        }
        message = f"The {name} {reasons[stopped.why]}."
        raise UnreadableDocument(message, param=where, code=f"unreadable_{noun}") from stopped


def _samples(made: bytes) -> Vector:
    return np.frombuffer(made, np.int16).astype(np.float32) / np.float32(32768)
