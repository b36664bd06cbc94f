"""PP-OCR through rapidocr, in processes of its own: what crashes or hangs there costs one picture."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from core.confined import end, kill
from core.errors import TooLarge, UnreadableDocument
from core.media import Line, Picture, Reading
from multimodal.reading.layout import in_order

Corner = tuple[float, float]

_log = logging.getLogger(__name__)
_ROOT = str(Path(__file__).parents[2])
# Isolated (-I): neither the environment nor the working directory can change what the child imports.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from multimodal.reading.worker import main; main()"
# The child's environment holds nothing of ours, no keys above all.
_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
_ANSWER_BYTES = 8 * 2**20
_LENGTH = 2**32  # what four bytes can say


class RapidReader:
    """A `TextReader` of at most `workers` processes, which start when they are needed and again when they died.

    `seconds` is the time for one picture, with the start of a process where it takes one. `read` raises
    `UnreadableDocument` (`picture`) for what is no picture, takes longer, or brings its process down.
    """

    def __init__(self, workers: int | None = None, threads: int = 2, seconds: float = 60.0) -> None:
        count = workers or max(1, (os.cpu_count() or 1) // threads)
        self._arguments = (sys.executable, "-I", "-c", _START, _ROOT, str(min(threads, os.cpu_count() or 1)))
        self._seconds = seconds
        self._idle: list[Process] = []
        self._busy: set[Process] = set()
        self._count, self._places = count, asyncio.Semaphore(count)
        self._closed = False

    @property
    def processes(self) -> list[int]:
        """The ids of the processes there are now."""
        return [process.pid for process in (*self._idle, *self._busy)]

    async def read(self, picture: Picture) -> Reading:
        """Read the picture; waits for a process where all are at work."""
        if len(picture.content) >= _LENGTH:
            raise TooLarge("The picture is too large to be read.", param="picture")
        async with self._places:
            if self._closed:
                raise _unreadable("cannot be read: the reader has been closed")
            process = await self._process()
            self._busy.add(process)
            sound = False
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await _ask(process, picture.content)
                sound = True
            except TimeoutError:
                raise _unreadable(f"could not be read within {self._seconds:g} seconds") from None
            except (BrokenPipeError, ConnectionResetError, asyncio.IncompleteReadError, ValueError) as problem:
                _log.warning("a picture's reader died: %s", problem)
                raise _unreadable("could not be read") from problem
            finally:
                # A process that was left in the middle of a picture would answer the next one with this one's text.
                self._busy.discard(process)
                if sound:
                    self._idle.append(process)
                else:
                    await end(process)
        found = json.loads(answer)
        if found is None:
            raise _unreadable("is damaged")
        lines = [Line(text, _corners(corners), score) for text, corners, score in found]
        return Reading(tuple(in_order(lines)), picture.width, picture.height)

    async def close(self) -> None:
        """End the processes, for good. What is being read breaks off with `UnreadableDocument`."""
        self._closed = True
        for process in self._busy:
            kill(process)
        for _ in range(self._count):
            # Whoever reads sees the end of its process first.
            await self._places.acquire()
        while self._idle:
            await end(self._idle.pop())
        for _ in range(self._count):
            self._places.release()

    async def _process(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            await end(process)
        return await asyncio.create_subprocess_exec(
            *self._arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_ENVIRONMENT, limit=_ANSWER_BYTES
        )


async def _ask(process: Process, content: bytes) -> bytes:
    to_child, from_child = process.stdin, process.stdout
    assert to_child is not None and from_child is not None, "both were asked for as pipes"  # noqa: S101
    to_child.write(struct.pack("<I", len(content)))
    to_child.write(content)
    await to_child.drain()
    return await from_child.readuntil(b"\n")


def _corners(told: list[list[float]]) -> tuple[Corner, Corner, Corner, Corner]:
    first, second, third, fourth = ((x, y) for x, y in told)
    return first, second, third, fourth


def _unreadable(what: str) -> UnreadableDocument:
    return UnreadableDocument(f"The picture {what}.", param="picture")
