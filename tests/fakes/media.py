"""Pictures and sound made for tests: good ones of every format, and the tricks that are played with them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import av
import numpy as np
from PIL import Image

CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "ipod": "aac",
    "ogg": "libopus",
    "flac": "flac",
    "webm": "libopus",
}
"""The containers that are admitted, as PyAV names their writers, and a codec of each."""


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), colour: Any = "red", **options: Any) -> bytes:
    """A picture of one colour."""
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, kind, **options)
    return made.getvalue()


def animated(kind: str, frames: int) -> bytes:
    """A picture of so many frames, each of another colour."""
    made = io.BytesIO()
    first, *rest = [Image.new("RGB", (16, 16), (n * 80 % 256, n * 50 % 256, 99)) for n in range(frames)]
    first.save(made, kind, save_all=True, append_images=rest, duration=20)
    return made.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of_zeros(width: int, height: int) -> bytes:
    """A PNG of clear pixels: about a thousandth of the bytes that it takes when it is decoded."""
    squeeze = zlib.compressobj(9)
    row = bytes(4 * width + 1)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tone(seconds: float = 0.5, rate: int = 48_000) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A sine of 440 Hz."""
    return np.asarray(np.sin(np.arange(int(seconds * rate)) / rate * 880 * np.pi) * 12_000, np.int16)


def sound(
    container: str = "wav",
    samples: np.ndarray[Any, np.dtype[np.int16]] | None = None,
    rate: int = 48_000,
    codec: str | None = None,
    **options: str,
) -> bytes:
    """The samples in a container, by default half a second of a tone."""
    samples = tone(rate=rate) if samples is None else samples
    made = io.BytesIO()
    with av.open(made, "w", format=container) as writing:
        stream: Any = writing.add_stream(codec or CODECS[container], rate=rate, options=options)
        stream.layout = "mono"
        for start in range(0, len(samples), 9_600):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 9_600], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            writing.mux(stream.encode(frame))
        writing.mux(stream.encode(None))
    return made.getvalue()


def film() -> bytes:
    """An MP4 with moving pictures and sound."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as writing:
        seen: Any = writing.add_stream("mpeg4", rate=10)
        seen.width, seen.height, seen.pix_fmt = 64, 48, "yuv420p"
        heard: Any = writing.add_stream("aac", rate=48_000)
        heard.layout = "mono"
        for _ in range(5):
            writing.mux(seen.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        frame = av.AudioFrame.from_ndarray(tone()[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        writing.mux(heard.encode(frame))
        for stream in (seen, heard):
            writing.mux(stream.encode(None))
    return made.getvalue()
