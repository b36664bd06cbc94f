"""Sound made anew: what the confined child process does with it. Probed first, and cut off where it grows too long."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from core.errors import TooLarge, UnreadableDocument, UnsupportedMedia
from core.media import RATE
from multimodal.kinds import Kind

_DEMUXERS = {
    Kind.WAV: "wav",
    Kind.MP3: "mp3",
    Kind.MP4: "mp4",
    Kind.OGG: "ogg",
    Kind.FLAC: "flac",
    Kind.WEBM: "webm",
}
_PCM = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "s16be", "alaw", "mulaw")
_DECODERS = ("aac", "alac", "flac", "libopus", "libvorbis", "mp3", "mp3float", "opus", "vorbis")
_ALLOWED = (*_DECODERS, *(f"pcm_{name}" for name in _PCM))
# No other decoder than these is ever opened, not even to look at a stream, and no address at all.
_OPTIONS = {"codec_whitelist": ",".join(_ALLOWED), "protocol_whitelist": "none"}
# What these say of their length is theirs to know; a WAV's or MP3's is a guess, or a placeholder of a live stream.
_TELLING = (Kind.MP4, Kind.OGG, Kind.FLAC, Kind.WEBM)
_RATES = range(4_000, 192_001)
_CHANNELS = 8
# A size of `data` from here on is what programs write that cannot know it yet.
_UNKNOWN_SIZE = 0x7FFF_F000
# What careless writers count too much: the header itself.
_CARELESS = 64
_SAMPLE_BYTES = 2


def admit(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The sound as one channel of signed 16-bit samples, `RATE` a second, in this machine's byte order.

    `request` has `kind` and `seconds`, the most. Raises `TooLarge`, `UnsupportedMedia` and `UnreadableDocument`.
    """
    kind = Kind(request["kind"])
    most: float = request["seconds"]
    if kind is Kind.WAV and _is_cut_off(content):
        raise _unreadable("ends before what its header says")
    try:
        with av.open(
            io.BytesIO(content),
            "r",
            format=_DEMUXERS[kind],
            container_options=_OPTIONS,
            metadata_errors="ignore",
            io_open=_refuse,
        ) as container:
            stream = _stream(container)
            declared = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
            length = declared if declared is not None else (container.duration or 0) / av.time_base
            if kind in _TELLING and length > most:
                raise _too_long(most)
            made = bytearray()
            for piece in _pieces(container, stream):
                made += piece
                if len(made) > most * RATE * _SAMPLE_BYTES:
                    raise _too_long(most)
    except (av.FFmpegError, OSError, ValueError) as problem:
        raise _unreadable("is damaged or cut off") from problem
    seconds = len(made) / _SAMPLE_BYTES / RATE
    if not made:
        raise _unreadable("has no sound in it")
    if kind in (Kind.MP4, Kind.FLAC) and declared is not None and seconds < declared * 0.95 - 0.5:
        raise _unreadable("ends before what its header says")
    return {}, bytes(made)


def _stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise _unreadable("has no sound in it")
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in _ALLOWED:
        raise UnsupportedMedia("The sound is encoded in a way that is not read; send WAV, MP3, AAC, Opus or FLAC.")
    if context.sample_rate not in _RATES or not 1 <= context.channels <= _CHANNELS:
        raise _unreadable("has a rate or a number of channels that no sound has")
    context.thread_count = 1
    return stream


def _pieces(container: InputContainer, stream: AudioStream) -> Iterator[bytes]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in container.decode(stream):
        if frame.sample_rate not in _RATES:
            raise _unreadable("changes its rate to one that no sound has")
        for out in resampler.resample(frame):
            yield bytes(out.planes[0])[: out.samples * _SAMPLE_BYTES]
    for out in resampler.resample(None):
        yield bytes(out.planes[0])[: out.samples * _SAMPLE_BYTES]


def _is_cut_off(content: bytes) -> bool:
    """Whether a chunk of the WAV file, up to its samples, says to be longer than the file is."""
    place = 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if name == b"data":
            return place + 8 + size > len(content) + _CARELESS and size < _UNKNOWN_SIZE
        place += 8 + size + size % 2
    return True


def _refuse(url: str, flags: int, options: Mapping[str, str]) -> NoReturn:
    raise PermissionError("sound refers to nothing outside of itself")


def _unreadable(reason: str) -> UnreadableDocument:
    return UnreadableDocument(f"The sound {reason}.", code="unreadable_audio")


def _too_long(most: float) -> TooLarge:
    return TooLarge(f"The sound is longer than {most:g} seconds.", code="audio_too_long")
