"""The packaged voice: hibari, which speaks on one core a hundred times as fast as one listens."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from hibari import SAMPLE_RATE
from hibari.voices import VOICES, voice_path

from core.confined import end, kill
from core.errors import EngineError, EngineUnavailable, InvalidInput
from multimodal.speak.limits import chosen
from multimodal.speak.wording import spoken

_ROOT = str(Path(__file__).parents[2])
# Isolated (-I): neither the environment nor the working directory can change what the child imports.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from multimodal.speak.child import main; main()"
# The child's environment holds nothing of ours, no keys above all.
_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}


class HibariSpeaker:
    """Speaks with those voices of the package whose files are here; none is fetched.

    A process of its own speaks, one sentence at a time, so that several who are spoken to take turns. It starts with
    the first sentence, starts anew when it died, and ends with `close`.
    """

    rate: int = SAMPLE_RATE

    def __init__(self, voice: str = "heart") -> None:
        here = {name: path for name in VOICES if (path := _file(name)) is not None}
        if voice not in here:
            raise InvalidInput(f"The voice {voice!r} is not here; there is {', '.join(here)}.", param="speech.voice")
        self.voices: Sequence[str] = (voice, *(name for name in here if name != voice))
        self._files = here
        self._child: Process | None = None
        self._closed = False
        self._turn = asyncio.Lock()
        self._speaking: set[asyncio.Task[bytes]] = set()

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> AsyncIterator[bytes]:
        """Speak sentence by sentence. Whoever stops listening stops it after the sentence that is at work."""
        return self._speak(text, chosen(self.voices, voice, speed), speed)

    async def close(self) -> None:
        """End the process, for good. What is still being said breaks off with `EngineUnavailable`."""
        self._closed = True
        if self._child is not None:
            kill(self._child)
        if self._speaking:
            # Whoever is being spoken to reads from the process, and sees its end first.
            await asyncio.wait(set(self._speaking))
        if self._child is not None:
            await end(self._child)
            self._child = None

    async def _speak(self, text: str, voice: str, speed: float) -> AsyncIterator[bytes]:
        sha256 = None if VOICES[voice].get("bundled") else VOICES[voice]["sha256"]
        about = {"voice": voice, "model": self._files[voice], "sha256": sha256, "speed": speed}
        for sentence in spoken(text):
            # A task of its own: an answer that nobody waits for any more has to be read all the same.
            saying = asyncio.create_task(self._say({"text": sentence, **about}))
            self._speaking.add(saying)
            saying.add_done_callback(self._said)
            if samples := await asyncio.shield(saying):
                yield samples

    def _said(self, saying: asyncio.Task[bytes]) -> None:
        self._speaking.discard(saying)
        if not saying.cancelled():
            # Looked at, so that it is not reported as forgotten where nobody waits any more.
            saying.exception()

    async def _say(self, request: dict[str, Any]) -> bytes:
        async with self._turn:
            try:
                return await self._ask(request)
            except EngineUnavailable:
                # It died; a new one does better unless it is this sentence that kills it.
                return await self._ask(request)

    async def _ask(self, request: dict[str, Any]) -> bytes:
        child = await self._running()
        to_child, from_child = child.stdin, child.stdout
        assert to_child is not None and from_child is not None, "both were asked for as pipes"  # noqa: S101
        try:
            to_child.write(json.dumps(request).encode() + b"\n")
            await to_child.drain()
            header = json.loads(await from_child.readuntil(b"\n"))
            if "error" in header:
                raise EngineError(f"the voice cannot say this: {header['error']}")
            return await from_child.readexactly(header["bytes"])
        except (asyncio.IncompleteReadError, ConnectionError) as problem:
            raise EngineUnavailable("the voice's process died") from problem

    async def _running(self) -> Process:
        if self._closed:
            raise EngineUnavailable("the voice has been closed")
        if self._child is not None and self._child.returncode is None and not _ended(self._child):
            return self._child
        if self._child is not None:
            await end(self._child)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _START, _ROOT), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_ENVIRONMENT
        )
        if self._closed:
            await end(child)
            raise EngineUnavailable("the voice has been closed")
        self._child = child
        return self._child


def _file(voice: str) -> str | None:
    """Where the voice's model lies, or None; never fetched."""
    try:
        return str(voice_path(voice, download_missing=False))
    except FileNotFoundError:
        return None


def _ended(child: Process) -> bool:
    return child.stdout is not None and child.stdout.at_eof()
