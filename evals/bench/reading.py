"""How long a screen and a receipt take to be read, and what the reading process holds after a hundred pictures."""

from __future__ import annotations

import asyncio
import io
import time

from PIL import Image, ImageDraw, ImageFont

from core.media import Picture
from evals.bench.figure import Figure
from evals.bench.process import resident
from evals.receipts import drawn_receipts
from multimodal.reading.rapid import RapidReader

ROUNDS = 9
PICTURES = 100
GOAL_SECONDS = 0.8
_ROWS = (
    ("Your orders", 34),
    *((f"ORD-{10400 + number}    Trail item {number}    Delivered    $ {number}9.95", 18) for number in range(10)),
    ("Payment failed", 26),
    ("Error code ERR_PAY_4021: your bank declined the charge of EUR 184.50", 18),
    ("Contact support with your order number and the code above", 18),
)


def measure() -> list[Figure]:
    """A drawn 1280 × 720 screen and a drawn receipt, each after a first reading; then memory."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    reader = RapidReader()
    screen = _screen()
    receipt = _picture(Image.open(io.BytesIO(drawn_receipts(1, 0)[0].content)))
    try:
        begun = time.perf_counter()
        await reader.read(screen)
        start = time.perf_counter() - begun
        screens = [await _seconds(reader, screen) for _ in range(ROUNDS)]
        receipts = [await _seconds(reader, receipt) for _ in range(ROUNDS)]
        before = _held(reader)
        # Each at a size of its own: what is kept by shape would show.
        for number in range(PICTURES):
            await reader.read(_screen(number))
        after = _held(reader)
    finally:
        await reader.close()
    middle = sorted(screens)[ROUNDS // 2]
    return [
        Figure("720p screen", "s", screens, goal=f"≤ {GOAL_SECONDS} s", met=middle <= GOAL_SECONDS),
        Figure("receipt", "s", receipts),
        Figure("first screen, with the process's start", "s", [start]),
        Figure(f"memory after {PICTURES} screens", "MB", [after], [before], "before them"),
    ]


async def _seconds(reader: RapidReader, picture: Picture) -> float:
    begun = time.perf_counter()
    await reader.read(picture)
    return time.perf_counter() - begun


def _held(reader: RapidReader) -> float:
    return sum(resident(process) for process in reader.processes)


def _screen(narrower: int = 0) -> Picture:
    image = Image.new("RGB", (1280 - 4 * narrower, 720), (246, 247, 249))
    pen, top = ImageDraw.Draw(image), 24
    for text, size in _ROWS:
        pen.text((40, top), text, font=ImageFont.load_default(size=size), fill=(40, 40, 40))
        top += size + 24
    return _picture(image)


def _picture(image: Image.Image) -> Picture:
    made = io.BytesIO()
    image.convert("RGB").save(made, "PNG")
    return Picture(made.getvalue(), "image/png", *image.size)
