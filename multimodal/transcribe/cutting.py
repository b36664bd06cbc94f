"""A long recording in pieces that can be transcribed one after the other, cut where it is quiet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.media import RATE, Audio

LONGEST = 20.0
"""Seconds of one piece."""

_QUIET = RATE // 5  # the stillest fifth of a second is where to cut


def pieces(audio: Audio, longest: float = LONGEST) -> Iterator[tuple[float, Audio]]:
    """The pieces in order, each with where it begins, in seconds. Together they are the whole audio.

    A cut lies in the last half of what fits: never so early that the pieces get short.
    """
    start = 0
    while len(audio.samples) - start > longest * RATE:
        low, high = start + round(longest * RATE / 2), start + round(longest * RATE)
        frames = audio.samples[low : low + (high - low) // _QUIET * _QUIET].reshape(-1, _QUIET)
        end = low + int(np.argmin(np.square(frames).sum(axis=1))) * _QUIET + _QUIET // 2
        yield start / RATE, Audio(audio.samples[start:end])
        start = end
    yield start / RATE, Audio(audio.samples[start:])
