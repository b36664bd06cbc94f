"""How fast speech becomes text: phrases of the packaged voice, as they would arrive from a microphone.

The sound comes in pieces of 100 ms at its own pace. The clock of the final transcript starts with the last piece that
has a voice in it, so the silence that ends a turn is not waited for.
"""

from __future__ import annotations

import asyncio
import time

import numpy as np

from core.media import RATE, Audio
from core.modelstore import ModelStore
from core.settings import Settings
from evals.bench.figure import Figure
from evals.spoken import spoken
from multimodal.transcribe.partials import Listening
from multimodal.transcribe.whisper import WhisperTranscriber

PHRASES = (
    "Where is my order? It should have been here on Monday.",
    "The zipper of my jacket broke after two days, and I would like to have another one.",
    "I would like to return a pair of boots, because they are too small.",
    "My card was charged twice for the same tent. Please send the money back.",
    "Please cancel the order that I placed this morning.",
)
FACTOR, FINAL_MS = 0.25, 500.0
_PIECE = RATE // 10


def measure() -> list[Figure]:
    """The real-time factor, the first partial, and the final transcript after the end of speech."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    model = Settings().speech.model
    store = ModelStore()
    transcriber = WhisperTranscriber(lambda: store.pull(model))
    factors, firsts, finals = [], [], []
    try:
        said = [spoken(text) for text in PHRASES]
        await transcriber.transcribe(said[0])
        for audio in said:
            begun = time.perf_counter()
            heard = await transcriber.transcribe(audio)
            factors.append((time.perf_counter() - begun) / audio.seconds)
            assert heard.text, "the phrase was not heard"
            first, final = await _live(transcriber, audio)
            firsts.append(first)
            finals.append(final)
    finally:
        await asyncio.to_thread(transcriber.close)
    factor, middle = sorted(factors)[len(factors) // 2], sorted(finals)[len(finals) // 2]
    return [
        Figure("real-time factor", "", factors, (), "", f"≤ {FACTOR}", factor <= FACTOR),
        Figure("first partial after speech began", "ms", firsts),
        Figure("final after end of speech", "ms", finals, (), "", f"≤ {FINAL_MS:.0f} ms", middle <= FINAL_MS),
    ]


async def _live(transcriber: WhisperTranscriber, audio: Audio) -> tuple[float, float]:
    """Milliseconds from the first sound to the first partial, and from the last sound to the transcript."""
    listening = Listening(transcriber)
    arriving: asyncio.Queue[Audio | None] = asyncio.Queue()
    begun = time.perf_counter()
    first = float("nan")

    async def speak() -> float:
        for start in range(0, len(audio.samples), _PIECE):
            piece = audio.samples[start : start + _PIECE]
            await asyncio.sleep(max(0.0, begun + (start + len(piece)) / RATE - time.perf_counter()))
            arriving.put_nowait(Audio(piece))
        arriving.put_nowait(None)
        return time.perf_counter()

    speaking = asyncio.create_task(speak())
    ended = False
    while not ended:
        pieces = [await arriving.get()]
        while not arriving.empty():
            pieces.append(arriving.get_nowait())
        ended = pieces[-1] is None
        joined = Audio(np.concatenate([np.zeros(0, np.float32), *(each.samples for each in pieces if each)]))
        if ended:
            await listening.finish(joined)
        elif (await listening.feed(joined)).text and np.isnan(first):
            first = (time.perf_counter() - begun) * 1000
    return first, (time.perf_counter() - await speaking) * 1000
