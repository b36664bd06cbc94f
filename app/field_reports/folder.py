"""The workspace's folder of admitted media: `field-reports/<id>/photo-1.png`, `note-1.wav`."""

from __future__ import annotations

import shutil
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np

from core.media import RATE, Audio, Picture

_SUFFIXES: Mapping[str, str] = {"image/png": ".png", "image/jpeg": ".jpg", "audio/wav": ".wav"}


class Kind(StrEnum):
    """What a medium is."""

    PHOTO = "photo"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Medium:
    """A photo (with `width` and `height` in pixels) or a note (with `seconds`), numbered from 1 within its kind."""

    kind: Kind
    number: int
    media_type: str
    captured_at: datetime | None = None
    width: int = 0
    height: int = 0
    seconds: float = 0.0


class MediaFolder:
    """Where reports' media are kept. Its methods read and write files: call them in a thread."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def holds(self, report_id: str) -> bool:
        """Whether this workspace has the report's media: a database may be shared, a workspace is not."""
        return self._of(report_id).is_dir()

    def begin(self, report_id: str) -> None:
        """Make the report's folder."""
        self._of(report_id).mkdir(parents=True, mode=0o700)

    def put_photo(self, report_id: str, number: int, picture: Picture, captured: datetime | None) -> Medium:
        """Keep an admitted picture."""
        size = {"width": picture.width, "height": picture.height}
        medium = Medium(Kind.PHOTO, number, picture.media_type, captured, **size)
        self.path(report_id, medium).write_bytes(picture.content)
        return medium

    def put_note(self, report_id: str, number: int, audio: Audio, captured: datetime | None) -> Medium:
        """Keep admitted sound, as 16-bit samples."""
        medium = Medium(Kind.NOTE, number, "audio/wav", captured, seconds=round(audio.seconds, 2))
        with wave.open(str(self.path(report_id, medium)), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((np.clip(audio.samples, -1, 1) * 32767).astype("<i2").tobytes())
        return medium

    def photo(self, report_id: str, medium: Medium) -> Picture:
        """The picture. Raises `FileNotFoundError` where it is gone."""
        content = self.path(report_id, medium).read_bytes()
        return Picture(content, medium.media_type, medium.width, medium.height)

    def note(self, report_id: str, medium: Medium) -> Audio:
        """The sound. Raises `FileNotFoundError` where it is gone."""
        with self.path(report_id, medium).open("rb") as file, wave.open(file) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        return Audio(samples.astype(np.float32) / np.float32(32767))

    def path(self, report_id: str, medium: Medium) -> Path:
        """Where the medium's file is."""
        return self._of(report_id) / f"{medium.kind.value}-{medium.number}{_SUFFIXES[medium.media_type]}"

    def delete(self, report_id: str) -> None:
        """Remove the report's folder and what is in it."""
        shutil.rmtree(self._of(report_id), ignore_errors=True)

    def _of(self, report_id: str) -> Path:
        return self._root / report_id
