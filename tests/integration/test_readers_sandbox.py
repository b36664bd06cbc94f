"""Hostile formats in a child process: what it answers, what ends it, and that the loop goes on meanwhile."""

import asyncio
import time

import pytest

from core.errors import TooLarge, UnreadableDocument, UnsupportedMedia
from retrieval.readers import INLINE_BYTES, read
from retrieval.readers.sandbox import read_hostile
from retrieval.readers.text import Kind, ReadLimits
from tests.fakes.documents import pdf, simple_word, source, with_part


async def test_every_format_is_read() -> None:
    page = b"<h1>T</h1><h2>A</h2><p>We open at nine."
    for content, name in [(pdf([["We open at nine."]]), "a.pdf"), (simple_word(), "a.docx"), (page, "a.html")]:
        got = await read(content, name)
        assert got.text.endswith("We open at nine.")
        assert got.sections[-1].end == len(got.text)


async def test_large_text_gives_the_same_in_the_child_as_here() -> None:
    text = "# T\n\n## Ä\n\n" + "Some words — and “more”. 🙂\n\n" * (INLINE_BYTES // 20)
    got = await read(text.encode(), "a.md")
    assert got.sections[0].headings == ("Ä",)
    assert got.text.startswith("Ä\n\nSome words — and “more”. 🙂\n\nSome")


async def test_errors_of_the_reader_come_through() -> None:
    with pytest.raises(UnreadableDocument, match=r"a\.pdf: has no text layer") as caught:
        await read(pdf([[]]), "a.pdf")
    assert caught.value.param == "file"
    with pytest.raises(UnsupportedMedia, match="not a Word document"):
        await read(b"PK\x05\x06" + bytes(18), "a.zip")
    with pytest.raises(TooLarge, match="compressed more than"):
        await read(with_part(simple_word(), {"word/x.bin": bytes(5_000_000)}), "a.docx")


async def test_a_child_out_of_time_is_killed() -> None:
    start = time.monotonic()
    with pytest.raises(UnreadableDocument, match=r"within 0\.5 seconds"):
        await read(b"![" * 200_000 + b"]" * 100, "slow.md", limits=ReadLimits(seconds=0.5))
    assert time.monotonic() - start < 5


async def test_a_child_out_of_memory_is_refused() -> None:
    content = b"<p>" + b"<b>word</b> " * 400_000
    with pytest.raises(UnreadableDocument, match=r"memory|damaged"):
        await read(content, "big.html", limits=ReadLimits(memory=150 * 2**20))


async def test_a_child_that_crashes_means_a_damaged_document(caplog: pytest.LogCaptureFixture) -> None:
    loop = b"<</Type/Pages/Kids[" + b"2 0 R " * 3 + b"]/Count 1>>"
    content = pdf([["secret words"]])
    start = content.index(b"<</Type/Pages/Kids")
    broken = content[:start] + loop + content[content.index(b"endobj", start) - 1 :]
    with pytest.raises(UnreadableDocument):
        await read_hostile(source(broken, Kind.PDF))
    assert "secret" not in caplog.text


async def test_the_loop_goes_on_meanwhile_and_children_run_side_by_side() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    texts = await asyncio.gather(*(read(pdf([[f"Number {n}."]]), "a.pdf") for n in range(4)))
    ticking.cancel()
    assert [t.text for t in texts] == [f"Number {n}." for n in range(4)]
    assert ticks > 5


async def test_cancelling_ends_the_child() -> None:
    reading = asyncio.create_task(read(b"![" * 200_000, "slow.md"))
    await asyncio.sleep(0.3)
    start = time.monotonic()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert time.monotonic() - start < 2
