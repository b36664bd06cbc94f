"""What every `TextReader` promises, on pictures that are drawn here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest
from PIL import Image, ImageDraw, ImageFont

from core.errors import UnreadableDocument
from core.media import Picture
from core.ports import TextReader
from multimodal.reading.rapid import RapidReader
from tests.fakes.text_reader import FakeTextReader, labelled

LINES = [("Payment failed", 40, 30), ("Total", 40, 110), ("39.95", 420, 112), ("Order ORD-10421", 40, 190)]


def drawn(lines: list[tuple[str, int, int]]) -> Picture:
    image = Image.new("RGB", (640, 280), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=28)
    boxes = []
    for text, left, top in lines:
        pen.text((left, top), text, font=font, fill="black")
        boxes.append((text, tuple(round(side) for side in pen.textbbox((left, top), text, font=font))))
    return labelled(image, boxes)  # type: ignore[arg-type]


@pytest.fixture(params=["fake", "rapid"])
async def reader(request: pytest.FixtureRequest) -> AsyncIterator[TextReader]:
    if request.param == "fake":
        yield FakeTextReader()
        return
    rapid = RapidReader(workers=1)
    yield rapid
    await rapid.close()


async def test_lines_come_in_reading_order_and_lie_where_they_are(reader: TextReader) -> None:
    reading = await reader.read(drawn(LINES[::-1]))
    assert [line.text for line in reading.lines] == [text for text, _, _ in LINES]
    assert (reading.width, reading.height) == (640, 280)
    for line, (_, left, top) in zip(reading.lines, LINES, strict=True):
        assert 0.5 < line.confidence <= 1
        assert abs(line.corners[0][0] - left) < 15 and abs(line.corners[0][1] - top) < 20
        assert line.corners[1][0] > line.corners[0][0] and line.corners[3][1] > line.corners[0][1]


async def test_a_picture_without_text_gives_no_lines(reader: TextReader) -> None:
    assert (await reader.read(drawn([]))).lines == ()


async def test_equal_pictures_give_equal_readings(reader: TextReader) -> None:
    picture = drawn(LINES)
    assert await reader.read(picture) == await reader.read(picture)


async def test_what_is_no_picture_is_refused_and_the_next_one_is_read(reader: TextReader) -> None:
    with pytest.raises(UnreadableDocument) as refusal:
        await reader.read(Picture(b"no picture", "image/png", 1, 1))
    assert refusal.value.param == "picture"
    assert "Payment failed" in (await reader.read(drawn(LINES))).text


async def test_a_process_that_was_killed_is_replaced() -> None:
    reader = RapidReader(workers=1)
    try:
        before = await reader.read(drawn(LINES))
        (killed,) = reader.processes
        os.kill(killed, signal.SIGKILL)
        with contextlib.suppress(UnreadableDocument):  # its death may not have been heard of yet
            await reader.read(drawn(LINES))
        assert await reader.read(drawn(LINES)) == before
        assert killed not in reader.processes
    finally:
        await reader.close()


async def test_what_takes_too_long_is_given_up_and_leaves_no_process() -> None:
    reader = RapidReader(workers=1, seconds=0.001)
    with pytest.raises(UnreadableDocument, match=r"within 0\.001 seconds"):
        await reader.read(drawn(LINES))
    assert reader.processes == []


async def test_readings_at_once_share_the_processes_and_keep_apart() -> None:
    reader = RapidReader(workers=1)
    try:
        texts = ["Harbour", "Mountain", "Valley"]
        found = await asyncio.gather(*(reader.read(drawn([(text, 40, 40)])) for text in texts))
        assert [reading.text for reading in found] == texts
        assert len(reader.processes) == 1
    finally:
        await reader.close()
    assert reader.processes == []


@pytest.mark.parametrize("pause", [0.0, 0.3, 2.0])
async def test_a_reader_that_closes_while_it_reads_breaks_off_and_stays_closed(pause: float) -> None:
    reader = RapidReader(workers=1)
    readings = [asyncio.create_task(reader.read(drawn(LINES))) for _ in range(60)]
    await asyncio.sleep(pause)
    await reader.close()
    ended = await asyncio.gather(*readings, return_exceptions=True)
    assert all(isinstance(each, UnreadableDocument) or each.text for each in ended)  # type: ignore[union-attr]
    assert isinstance(ended[-1], UnreadableDocument)
    assert reader.processes == []
    with pytest.raises(UnreadableDocument, match="closed"):
        await reader.read(drawn(LINES))
