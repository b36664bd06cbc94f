"""Draws a screen and speaks a phrase, so that suites need no recorded media; equal input gives equal bytes."""

from __future__ import annotations

import io
import wave

import hibari
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.media import RATE

Samples = NDArray[np.float64]

_SIZE = (1080, 1440)
_SPOKEN = 24_000
# What arousal does to a voice, as far as a synthetic one can be made to show it: higher, faster, brighter.
_HIGHER, _FASTER, _BRIGHTER = 1.32, 1.28, 6.0


def screen(lines: list[str]) -> bytes:
    """A phone's screen with these lines, as PNG."""
    picture = Image.new("RGB", _SIZE, "#f6f7f4")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, _SIZE[0], 120), fill="#24433a")
    for number, line in enumerate(lines):
        size = 54 if number == 0 else 42
        draw.text((64, 200 + 110 * number), line, fill="#1c2523", font=ImageFont.load_default(size))
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


class Voice:
    """The packaged voice, calm or as if it were tense."""

    def __init__(self) -> None:
        self._speak = hibari.Hibari()

    def say(self, text: str, *, tense: bool = False) -> bytes:
        """The phrase as a WAV of 16 kHz."""
        if not tense:
            return _wav(_resampled(self._speak(text, seed=0), _SPOKEN))
        slowed = self._speak(text, speed=_FASTER / _HIGHER, seed=0)
        # Played faster, it is higher and faster at once.
        return _wav(_tilted(_resampled(slowed, _SPOKEN * _HIGHER)))


def _resampled(samples: Samples, rate: float) -> Samples:
    count = int(len(samples) * RATE / rate)
    made: Samples = np.interp(np.arange(count) * rate / RATE, np.arange(len(samples)), samples)
    return made


def _tilted(samples: Samples) -> Samples:
    """The sound with what lies above 1 kHz raised."""
    spectrum = np.fft.rfft(samples)
    above = np.fft.rfftfreq(len(samples), 1 / RATE) > 1000
    spectrum[above] *= 10 ** (_BRIGHTER / 20)
    louder: Samples = np.fft.irfft(spectrum, len(samples))
    louder *= np.abs(samples).max() / max(np.abs(louder).max(), 1e-9)
    return louder


def _wav(samples: Samples) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return written.getvalue()
