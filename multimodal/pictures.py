"""A picture made anew: what the confined child process does with one. Sizes come first, decoding last."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps, WebPImagePlugin  # noqa: F401  (named, or looking for it would import every format)

from core.errors import TooLarge, UnreadableDocument
from multimodal.kinds import Kind

# The limit on pixels is ours, and each picture's size is held against it before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
Image.preinit()  # the other four, before a child has a picture to wait for them
# What a photograph loses in JPEG nobody sees or reads; drawings and screenshots stay exact.
_QUALITY = 92
_PHOTOGRAPHS = (Kind.JPEG, Kind.WEBP)


def admit(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The picture upright, in grey or RGB on white, without metadata; its media type and size in pixels.

    `request` has `kind`, `pixels`, `frames` and `bytes`, the most that the made file may have as PNG: a larger one
    becomes a JPEG. Raises `TooLarge` and `UnreadableDocument`.
    """
    kind = Kind(request["kind"])
    try:
        # Opening a WebP takes memory for the whole of it, and opening a GIF reads its first frame.
        if kind is Kind.WEBP:
            _hold(*_webp_size(content), request)
        elif kind is Kind.GIF:
            width, height = struct.unpack_from("<HH", content, 6)
            _hold(width, height, request)
        with Image.open(io.BytesIO(content), formats=(kind.upper(),)) as picture:
            _hold(*picture.size, request)
            # A phone's JPEG may carry a second picture, of depth or light, behind the one that counts.
            frames = 1 if kind is Kind.JPEG else getattr(picture, "n_frames", 1)
            if frames > request["frames"]:
                most = "1 frame" if request["frames"] == 1 else f"{request['frames']} frames"
                raise TooLarge(f"The picture has {frames:,} frames; at most {most}.", code="too_many_frames")
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as problem:
        raise UnreadableDocument(f"The {kind} picture is damaged or cut off.", code="unreadable_picture") from problem
    plain = _plain(picture)
    media_type, made = _encoded(plain, kind in _PHOTOGRAPHS, request["bytes"])
    return {"media_type": media_type, "width": plain.width, "height": plain.height}, made


def _hold(width: int, height: int, request: Mapping[str, Any]) -> None:
    if width < 1 or height < 1:
        raise UnreadableDocument("The picture has no pixels.", code="unreadable_picture")
    if width * height > request["pixels"]:
        message = f"The picture has {width:,} × {height:,} pixels; at most {request['pixels']:,} in all."
        raise TooLarge(message, code="too_many_pixels")


def _webp_size(content: bytes) -> tuple[int, int]:
    """Width and height from the first chunk of a WebP file."""
    chunk, data = content[12:16], content[20:30]
    if len(data) == 10:
        if chunk == b"VP8X":
            return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
        if chunk == b"VP8L":
            bits = int.from_bytes(data[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if chunk == b"VP8 ":
            width, height = struct.unpack("<HH", data[6:10])
            return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no size in the header")


def _plain(picture: Image.Image) -> Image.Image:
    """The picture in eight bits of grey or RGB. What shines through is white, as on paper."""
    if picture.mode.startswith("I"):
        # Sixteen bits: converting would cut off what is brighter than 255.
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        clear = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        plain = Image.new("RGB", clear.size, "white")
        plain.paste(clear, mask=clear.getchannel("A"))
        return plain
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _encoded(picture: Image.Image, photograph: bool, most: int) -> tuple[str, bytes]:
    picture.info.clear()  # profile, comments, tags: what is written is the pixels alone
    made = io.BytesIO()
    if not photograph:
        picture.save(made, "PNG", compress_level=1)  # level 6 takes five times as long and saves a fifth
        if made.tell() <= most:
            return "image/png", made.getvalue()
        made = io.BytesIO()
    picture.save(made, "JPEG", quality=_QUALITY)
    return "image/jpeg", made.getvalue()
