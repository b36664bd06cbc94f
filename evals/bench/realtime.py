"""How long one waits for a spoken answer: the demo company, no engine but the embedded one, the packaged voice.

A caller who sounds like the packaged voice asks the demo's questions, in real time as a microphone does. What counts
begins with the last sound of the question: the silence that ends a turn is part of the wait.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from openai import AsyncOpenAI

from evals.bench.figure import Figure
from evals.bench.process import Gateway, gateway

QUESTIONS = (
    "How long do I have to return a tent?",
    "How much does shipping cost?",
    "Can I wash my rain jacket in the machine?",
    "What is the warranty on a backpack?",
    "How do I track my order?",
    "Do you ship to other countries?",
)
ROUNDS = 3
RATE = 24_000
PIECE_SECONDS = 0.04
GOAL_MS = 1500.0
_MARKS = {
    "input_audio_buffer.speech_stopped": "end of speech → end of turn",
    "conversation.item.input_audio_transcription.completed": "end of speech → transcript",
    "response.output_audio_transcript.delta": "end of speech → first word of the answer",
    "response.output_audio.delta": "end of speech → first audio",
}


def measure() -> list[Figure]:
    """The medians of each round, from the last sound of a question to each of the steps of its answer."""
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder), WAYSIDE_DEMO="true") as ours:
        times = asyncio.run(_rounds(ours))
    figures = []
    for kind, name in _MARKS.items():
        rounds = [float(np.median([each[kind] for each in asked])) for asked in times]
        last = kind == "response.output_audio.delta"
        met = float(np.median(rounds)) <= GOAL_MS if last else None
        figures.append(Figure(f"{name}, p50", "ms", rounds, goal=f"≤ {GOAL_MS:.0f} ms" if last else "", met=met))
    return figures


async def _rounds(server: Gateway) -> list[list[dict[str, float]]]:
    url = f"http://127.0.0.1:{server.port}/v1"
    async with AsyncOpenAI(base_url=url, api_key=server.key) as client:
        spoken = [await _spoken(client, question) for question in QUESTIONS]
        # The models are loaded by the first who need them.
        await _talk(client, spoken[:1])
        return [await _talk(client, spoken) for _ in range(ROUNDS)]


async def _spoken(client: AsyncOpenAI, text: str) -> bytes:
    """The question as sound, without the silence around it."""
    made = await client.audio.speech.create(model="tts-1", voice="heart", input=text, response_format="pcm")
    samples = np.frombuffer(made.content, "<i2")
    loud = np.flatnonzero(np.abs(samples) > 300)
    return samples[loud[0] : loud[-1] + 1].tobytes()


async def _talk(client: AsyncOpenAI, spoken: list[bytes]) -> list[dict[str, float]]:
    """Ask one question after the other on one session; the milliseconds to each step, for each question."""
    async with client.realtime.connect(model="wayside") as connection:
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        )
        times = []
        for question in spoken:
            ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            speaking = asyncio.create_task(_say(connection, question, ended))
            arrived: dict[str, float] = {}
            async for event in connection:
                arrived.setdefault(event.type, perf_counter())
                if event.type == "error":
                    raise RuntimeError(f"the session refused: {event.error.message}")
                if event.type == "response.done":
                    if event.response.status != "completed":
                        raise RuntimeError(f"the answer was {event.response.status}")
                    break
            speaking.cancel()
            times.append({kind: (arrived[kind] - await ended) * 1000 for kind in _MARKS})
        return times


async def _say(connection: Any, sound: bytes, ended: asyncio.Future[float]) -> None:
    """Send the sound as fast as it is spoken, and then silence; `ended` gets when the last of the sound was sent."""
    size = int(RATE * PIECE_SECONDS) * 2
    pieces = [sound[at : at + size] for at in range(0, len(sound), size)]
    begun = perf_counter()
    number = 0
    while True:
        piece = pieces[number] if number < len(pieces) else bytes(size)
        number += 1
        # A microphone has a piece when it has been spoken.
        await asyncio.sleep(max(0.0, begun + number * PIECE_SECONDS - perf_counter()))
        await connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())
        if number == len(pieces):
            ended.set_result(perf_counter())
