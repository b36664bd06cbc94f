"""A reader that knows what is written: the words lie in the lowest bits of the pixels, which encoding as PNG keeps."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image

from core.errors import UnreadableDocument
from core.media import Line, Picture, Reading
from multimodal.reading.layout import in_order

_MARK = b"lines:"
_END = b"\n"


def labelled(image: Image.Image, lines: list[tuple[str, tuple[int, int, int, int]]]) -> Picture:
    """The image as a picture that the fake can read, too: each line's text, and its left, top, right and bottom."""
    pixels = np.array(image.convert("RGB"))
    bits = np.unpackbits(np.frombuffer(_MARK + json.dumps(lines).encode() + _END, np.uint8))
    flat = pixels.reshape(-1)
    assert bits.size <= flat.size, "the image is too small for its words"
    flat[: bits.size] = flat[: bits.size] & 0xFE | bits
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return Picture(made.getvalue(), "image/png", *image.size)


class FakeTextReader:
    """Reads pictures that `labelled` made; in others it finds no text."""

    async def read(self, picture: Picture) -> Reading:
        try:
            with Image.open(io.BytesIO(picture.content)) as image:
                pixels = np.array(image.convert("RGB"))
        except OSError as problem:
            raise UnreadableDocument("The picture is damaged.", param="picture") from problem
        told = np.packbits(pixels.reshape(-1) & 1).tobytes()
        rows = json.loads(told[len(_MARK) :].partition(_END)[0]) if told.startswith(_MARK) else []
        lines = [
            Line(text, ((left, top), (right, top), (right, bottom), (left, bottom)), 1.0)
            for text, (left, top, right, bottom) in rows
        ]
        return Reading(tuple(in_order(lines)), picture.width, picture.height)
