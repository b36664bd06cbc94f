"""From the 24 kHz that voice clients send to the rate that everything here listens to, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.media import RATE

if TYPE_CHECKING:
    from core.types import Vector

SENT = 24_000
"""Samples a second that clients send."""

# Both rates divide 48 kHz: every sample is followed by a zero, then every third one is taken.
_UP, _DOWN = 48_000 // SENT, 48_000 // RATE
_TAPS = 97


def _lowpass() -> Vector:
    """A windowed sinc at 48 kHz which keeps what lies below 7.2 kHz and folds nothing over 8.8 kHz back."""
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(at * 2 * 8_000 / 48_000) * np.kaiser(_TAPS, 6.0)
    return np.asarray(taps * _UP / taps.sum(), np.float32)


class Downsampler:
    """Keeps the little that the next piece needs of the last one, so that pieces join without a click."""

    def __init__(self) -> None:
        self._filter = _lowpass()
        # 48 kHz samples that are still needed, and how many of the next ones are passed over.
        self._rest = np.zeros(_TAPS - 1, np.float32)
        self._skip = 0

    def feed(self, pcm: bytes) -> Vector:
        """Signed 16-bit little-endian samples at 24 kHz as float32 in [-1, 1] at `RATE`; shape (n · 2/3,)."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        raised = np.zeros(len(samples) * _UP, np.float32)
        raised[::_UP] = samples
        joined = np.concatenate([self._rest, raised])
        self._rest = joined[len(joined) - (_TAPS - 1) :]
        if not len(samples):
            return samples
        smooth = np.convolve(joined, self._filter, "valid")
        taken = smooth[self._skip :: _DOWN]
        self._skip = (self._skip - len(smooth)) % _DOWN
        return np.ascontiguousarray(taken, np.float32)
