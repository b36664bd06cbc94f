"""How a message sounds, from its sound alone: calm, or tense.

What arousal does to a voice is agreed on (Banse and Scherer 1996, "Acoustic profiles in vocal emotion expression"; the
parameters are those of the GeMAPS set, Eyben et al. 2016): pitch and its movement rise, syllables come faster, pauses
shrink, and more of the energy lies above 1 kHz. How loud it is says little, since nobody knows the microphone. What is
usual (`USUAL`) is taken from read speech; the weights are chosen so that one sign alone never decides.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from core.media import RATE, Audio, Mood, Tone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

_FRAME, _HOP = RATE // 25, RATE // 100  # 40 ms, every 10 ms
_LOWEST, _HIGHEST = 70.0, 450.0  # Hz, of speaking voices
_VOICED = 0.5  # autocorrelation from which a frame has a pitch
_SILENT = 30.0  # dB below the loud frames: nobody speaks
_SHORTEST = 1.0  # seconds of speech, below which a voice shows nothing
_PAUSE = 15  # frames without speech that make a pause, and no stop consonant
_BRIGHT = 1000.0  # Hz

# What is usual, and one step away from it: the medians and spreads of 77 spoken commands of as many unhurried people
# (Picovoice's speech-to-intent benchmark). Pitch counts by voice, see `_high`.
USUAL = {"high": (0.0, 3.0), "spread": (4.4, 1.3), "rate": (4.0, 0.6), "pauses": (0.03, 0.06), "bright": (-7.0, 3.5)}
_WEIGHTS = {"high": 0.6, "spread": 0.5, "rate": 0.8, "pauses": -0.3, "bright": 0.5}
_BIAS = -1.4
_MOST = 0.95
# The two registers in which people speak, in Hz: a voice is compared with the nearer one.
_REGISTERS = (115.0, 205.0)


def tone(audio: Audio) -> Tone | None:
    """The tone of one voice note; None where too little is said to tell."""
    frames = _frames(audio.samples)
    if not len(frames):
        return None
    level = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    loud = float(np.percentile(level, 95))
    speaking = level > max(loud - _SILENT, -60.0)
    if speaking.sum() * _HOP / RATE < _SHORTEST:
        return None
    first, last = np.flatnonzero(speaking)[[0, -1]]
    within = slice(int(first), int(last) + 1)
    pitches = _pitches(frames[within][speaking[within]])
    pitch = float(np.median(pitches)) if len(pitches) else None
    spread = _spread(pitches, pitch) if pitch is not None else None
    pauses = _pauses(speaking[within])
    spoken = float(last + 1 - first) * _HOP / RATE * (1 - pauses)
    rate = _syllables(level[within]) / max(spoken, 0.1)
    signs = {"rate": rate, "pauses": pauses, "bright": _brightness(frames[within][speaking[within]])}
    if pitch is not None and spread is not None:
        signs |= {"high": _high(pitch), "spread": spread}
    tense = _probability(signs)
    mood = Mood.TENSE if tense > 0.5 else Mood.CALM
    return Tone(
        mood,
        confidence=round(max(tense, 1 - tense), 3),
        loudness=round(loud, 2),
        pitch=None if pitch is None else round(pitch, 1),
        spread=None if spread is None else round(spread, 2),
        rate=round(float(rate), 2),
        pauses=round(pauses, 3),
    )


def _probability(signs: dict[str, float]) -> float:
    """How likely it is tense. A sign is cut at two and a half steps, so that none decides alone."""
    steps = {name: (value - USUAL[name][0]) / USUAL[name][1] for name, value in signs.items()}
    logit = _BIAS + sum(_WEIGHTS[name] * min(max(step, -2.5), 2.5) for name, step in steps.items())
    return min(max(1 / (1 + math.exp(-logit)), 1 - _MOST), _MOST)


def _high(pitch: float) -> float:
    """Semitones above the register that this voice speaks in."""
    nearest = min((12 * math.log2(pitch / register) for register in _REGISTERS), key=abs)
    return nearest if pitch < _REGISTERS[1] else 12 * math.log2(pitch / _REGISTERS[1])


def _frames(samples: Samples) -> Samples:
    if len(samples) < _FRAME:
        return np.zeros((0, _FRAME), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]


def _pitches(frames: Samples) -> NDArray[np.float64]:
    """The pitch of each frame that has one: the autocorrelation of the frame over the window's (Boersma 1993)."""
    window = np.hanning(_FRAME)
    size = 2 * _FRAME
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)[:_FRAME]
    own /= own[0]
    shortest, longest = int(RATE / _HIGHEST), int(RATE / _LOWEST)
    found: list[NDArray[np.float64]] = []
    for some in np.array_split(frames, max(1, len(frames) // 2000)):
        centred = (some - some.mean(axis=1, keepdims=True)) * window
        correlation = np.fft.irfft(np.abs(np.fft.rfft(centred, size, axis=1)) ** 2, axis=1)[:, :_FRAME]
        correlation /= np.maximum(correlation[:, :1], 1e-9)
        strength = correlation[:, shortest:longest] / own[shortest:longest]
        # A little is taken off long lags: two periods are as alike as one.
        strength = strength - 0.01 * np.log2(np.arange(shortest, longest) / shortest)
        best = strength.argmax(axis=1)
        found.append(RATE / (best[strength[np.arange(len(some)), best] > _VOICED] + shortest))
    return np.concatenate(found)


def _spread(pitches: NDArray[np.float64], pitch: float) -> float:
    """Half the width, in semitones, of the middle two thirds: a pitch taken for its octave moves it little."""
    low, high = np.percentile(12 * np.log2(pitches / pitch), [16, 84])
    return float(high - low) / 2


def _pauses(speaking: NDArray[np.bool_]) -> float:
    """The share of the time that goes to pauses, from the first word to the last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([True], speaking, [True])).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    return float(lengths[lengths >= _PAUSE].sum()) / len(speaking)


def _syllables(level: NDArray[np.floating]) -> int:
    """How many peaks of loudness there are, each 2 dB above the dips around it (de Jong and Wempe 2009)."""
    smooth = np.convolve(level, np.hanning(9) / np.hanning(9).sum(), "same")
    floor = np.percentile(level, 95) - 25
    count, peak, dip, rising = 0, -np.inf, np.inf, True
    for value in smooth.tolist():
        if rising:
            peak = max(peak, value)
            if value < peak - 2:
                count += int(peak > floor and peak - dip >= 2)
                rising, dip = False, value
        else:
            dip = min(dip, value)
            if value > dip + 2:
                rising, peak = True, value
    return count


def _brightness(frames: Samples) -> float:
    """Energy above 1 kHz over that below, in dB."""
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)) ** 2, axis=0)
    split = int(_BRIGHT * _FRAME / RATE)
    return float(10 * np.log10((power[split:].sum() + 1e-12) / (power[2:split].sum() + 1e-12)))
