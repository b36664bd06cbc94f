"""The official client has text read aloud, and what it gets is understood again."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import openai
import pytest
from faster_whisper import WhisperModel
from openai import AsyncOpenAI

from app.senses import open_senses
from core.media import RATE
from core.modelstore import ModelStore
from tests.fakes.gateway import Gateway, gateway, listening, started

TEXT = "You can return your tent within thirty days. Your order is on the way. [1]"


@pytest.fixture
async def speaking(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path) as made, AsyncExitStack() as stack:
        made.parts.senses = open_senses(made.parts.settings, ModelStore(), stack)
        async with started(made.parts) as (app, http):
            yield replace(made, app=app, http=http)


@pytest.fixture
async def client(speaking: Gateway) -> AsyncIterator[AsyncOpenAI]:
    key = speaking.keys["client"]
    async with listening(speaking) as url, AsyncOpenAI(api_key=key, base_url=f"{url}/v1") as official:
        yield official


@pytest.fixture(scope="module")
def ears() -> WhisperModel:
    store = ModelStore()
    store.pull("whisper-tiny.en")
    return WhisperModel(str(store.path("whisper-tiny.en")), device="cpu", compute_type="int8", cpu_threads=1)


def heard(ears: WhisperModel, content: bytes) -> str:
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    segments, _ = ears.transcribe(samples, language="en", beam_size=1)
    return " ".join(segment.text for segment in segments).lower()


@pytest.mark.parametrize("made", ["mp3", "opus", "aac", "flac", "wav"])
async def test_every_format_is_heard_again(client: AsyncOpenAI, ears: WhisperModel, made: str) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="hibari-tts",
        voice="heart",
        input=TEXT,
        response_format=made,  # type: ignore[arg-type]
    ) as answer:
        content = b"".join([piece async for piece in answer.iter_bytes()])
    words = heard(ears, content)
    for word in ("return", "tent", "days", "order", "on the way"):
        assert word in words


async def test_bare_samples_last_as_long_as_the_file(client: AsyncOpenAI) -> None:
    bare = await client.audio.speech.create(model="hibari-tts", voice="heart", input=TEXT, response_format="pcm")
    wav = await client.audio.speech.create(model="hibari-tts", voice="heart", input=TEXT, response_format="wav")
    assert wav.content.endswith(bare.content)


async def test_a_voice_that_is_not_there(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="heart") as refused:
        await client.audio.speech.create(model="hibari-tts", voice="alloy", input=TEXT)
    assert refused.value.param == "voice"
