"""The media gate: memory over 500 admitted files, and the time that a picture and a second of sound take.

The files are made here: a screen's and a phone's pictures, and notes of ten seconds in each format. The reference is
the same gate without a child that waits.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from core.settings import MediaSettings
from evals.bench.figure import Figure, Skipped
from multimodal.media import MediaGate

ROUNDS = 5
FILES = 500
NOTE_SECONDS = 10
GROWTH_MB = 20.0
_RATE = 48_000
_SOUNDS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "ipod": "aac", "ogg": "libopus", "flac": "flac", "webm": "libopus"}
_NAMES = {"ipod": "m4a"}
_AGAINST = "no child that waits"
# What a process takes once (buffers, imports, the first children) it has taken after so many files.
_WARM_FILES = 40
# Between two files, as between two messages: time for the next child to get ready.
_PAUSE = 0.3


def measure() -> list[Figure]:
    """Needs the packages that decode."""
    for package in ("PIL", "av"):
        if importlib.util.find_spec(package) is None:
            raise Skipped(f"{package} is not installed: pip install -c constraints.txt -e '.[voice,vision]'")
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    screenshot, photo = _picture("PNG", 1280, 720), _picture("JPEG", 4032, 3024)
    notes = {_NAMES.get(container, container): _note(container, codec) for container, codec in _SOUNDS.items()}
    ours, reference = MediaGate(MediaSettings(), spare=True), MediaGate(MediaSettings())
    pictures = {"screenshot, 1280 × 720 PNG": screenshot, "photo, 12 megapixels JPEG": photo}
    try:
        return [
            *[await _timed(name, "ms", 1, ours.picture, reference.picture, made) for name, made in pictures.items()],
            *[
                await _timed(f"{name}, a second of sound", "ms", NOTE_SECONDS, ours.audio, reference.audio, made)
                for name, made in notes.items()
            ],
            *await _memory(ours, [screenshot, _picture("JPEG", 1600, 1200)], list(notes.values())),
        ]
    finally:
        await ours.close()


async def _timed(
    name: str,
    unit: str,
    parts: int,
    ours: Callable[[bytes, str], Awaitable[Any]],
    reference: Callable[[bytes, str], Awaitable[Any]],
    content: bytes,
) -> Figure:
    """Milliseconds of one file over its parts, in turns; the first round is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for side, admit in zip(times, (ours, reference), strict=True):
            begun = time.perf_counter()
            await admit(content, name)
            side.append((time.perf_counter() - begun) * 1000 / parts)
            await asyncio.sleep(_PAUSE)
    return Figure(name, unit, times[0][1:], times[1][1:], _AGAINST)


async def _memory(gate: MediaGate, pictures: list[bytes], sounds: list[bytes]) -> list[Figure]:
    """This process's resident memory while 500 files are admitted, against what it was after the first ones."""
    seen, begun = list[float](), 0.0
    for number in range(FILES):
        if number == _WARM_FILES:
            begun = time.perf_counter()
        if number % 2:
            await gate.audio(sounds[number // 2 % len(sounds)], "note")
        else:
            await gate.picture(pictures[number // 2 % len(pictures)], "picture")
        seen.append(_resident())
    passed = time.perf_counter() - begun
    growth = median(seen[-_WARM_FILES:]) - median(seen[_WARM_FILES : 2 * _WARM_FILES])
    return [
        Figure(f"{FILES} files: resident", "MB", seen[_WARM_FILES:]),
        Figure(f"{FILES} files: growth", "MB", [growth], goal=f"≤ {GROWTH_MB:.0f} MB", met=growth <= GROWTH_MB),
        Figure(f"{FILES} files, one after the other", "files/s", [(FILES - _WARM_FILES) / passed]),
    ]


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def _picture(kind: str, width: int, height: int) -> bytes:
    """Text on a slope of colours with some grain: neither empty nor noise."""
    from PIL import Image, ImageDraw

    grain = np.random.default_rng(1).normal(0, 3 if kind == "JPEG" else 0, (height, width, 1))
    across, down = np.linspace(0, 200, width)[None, :, None], np.linspace(0, 55, height)[:, None, None]
    shades = np.clip(across + down + grain + np.array([0, 20, 40]), 0, 255).astype(np.uint8)
    picture = Image.fromarray(shades)
    drawing = ImageDraw.Draw(picture)
    for line in range(10, height - 20, 40):
        drawing.text((20, line), f"Order {line}: two tents and a lamp, to be delivered on Friday.", "white")
    made = io.BytesIO()
    picture.save(made, kind)
    return made.getvalue()


def _note(container: str, codec: str) -> bytes:
    """A voice-like hum that swells and fades."""
    import av

    moments = np.arange(NOTE_SECONDS * _RATE) / _RATE
    hum = sum(np.sin(2 * np.pi * 140 * part * moments) / part for part in range(1, 9))
    samples = np.asarray(hum * (1 + np.sin(2 * np.pi * 3 * moments)) * 4_000, np.int16)
    made = io.BytesIO()
    with av.open(made, "w", format=container) as writing:
        stream: Any = writing.add_stream(codec, rate=_RATE)
        stream.layout = "mono"
        for start in range(0, len(samples), _RATE // 10):
            piece = samples[None, start : start + _RATE // 10]
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate, frame.pts = _RATE, start
            writing.mux(stream.encode(frame))
        writing.mux(stream.encode(None))
    return made.getvalue()
