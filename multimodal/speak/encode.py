"""Samples into the formats that players know, piece by piece."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream

from core.media import SoundFormat

# format → (container, codec, options of the container): what a container holds back is heard late.
_MADE: dict[SoundFormat, tuple[str, str, dict[str, str]]] = {
    SoundFormat.MP3: ("mp3", "libmp3lame", {"write_xing": "0"}),
    SoundFormat.OPUS: ("ogg", "libopus", {"page_duration": "100000"}),
    SoundFormat.AAC: ("adts", "aac", {}),
    SoundFormat.FLAC: ("flac", "flac", {}),
    SoundFormat.WAV: ("wav", "pcm_s16le", {}),
}


class Encoder:
    """Encodes signed 16-bit little-endian samples of one channel. Not for two threads at once."""

    def __init__(self, made: SoundFormat, rate: int) -> None:
        self._out = _Out()
        self._rate = rate
        self._at = 0
        self._container = None
        if made is not SoundFormat.PCM:
            name, codec, options = _MADE[made]
            self._container = av.open(self._out, "w", format=name, options={**options, "flush_packets": "1"})
            self._stream = cast("AudioStream", self._container.add_stream(codec, rate=rate, layout="mono"))

    def feed(self, samples: bytes) -> bytes:
        """What there is to send after these samples; perhaps nothing yet."""
        if self._container is None:
            return samples
        frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, "<i2")[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._at, Fraction(1, self._rate)
        self._at += len(samples) // 2
        self._container.mux(self._stream.encode(frame))
        return self._out.taken()

    def end(self) -> bytes:
        """The rest, after which nothing may be fed."""
        if self._container is None:
            return b""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._out.taken()


class _Out:
    """What the container writes into; it cannot go back, for what was written has been sent."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes) -> int:
        self._written += content
        return len(content)

    def taken(self) -> bytes:
        content = bytes(self._written)
        self._written.clear()
        return content
