"""The official client listens to speech of the packaged voice, in every format, from a real server."""

from __future__ import annotations

import io
import wave
from typing import Any, Literal

import numpy as np
import openai
import pytest
from openai import OpenAI
from openai.types.audio import TranscriptionVerbose

from core.media import RATE, Audio
from core.modelstore import ModelStore
from evals.spoken import spoken
from tests.e2e.server import Server

SAID = "My parcel has not arrived. Please send it again."


@pytest.fixture(scope="module")
def client(demo_server: Server) -> OpenAI:
    ModelStore().pull("whisper-tiny.en")
    return demo_server.openai()


@pytest.fixture(scope="module")
def note() -> tuple[str, bytes]:
    return "note.wav", wav(spoken(SAID))


def wav(audio: Audio) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((audio.samples * 32767).astype("<i2").tobytes())
    return written.getvalue()


def test_json(client: OpenAI, note: Any) -> None:
    assert client.audio.transcriptions.create(file=note, model="whisper-1", language="en").text == SAID
    assert client.audio.transcriptions.create(file=note, model="whisper-tiny.en", temperature=0).text == SAID


@pytest.mark.parametrize(("form", "begins"), [("text", SAID), ("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")])
def test_text_and_captions(client: OpenAI, note: Any, form: Literal["text", "srt", "vtt"], begins: str) -> None:
    made = client.audio.transcriptions.create(file=note, model="whisper-1", response_format=form)
    assert made.startswith(begins)
    assert "not arrived" in made


def test_verbose_json_with_words(client: OpenAI, note: Any) -> None:
    made = client.audio.transcriptions.create(
        file=note,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        prompt="Harbor and Pine",
    )
    assert isinstance(made, TranscriptionVerbose)
    assert (made.text, made.language) == (SAID, "english")
    assert made.words is not None
    assert made.segments is not None
    assert [word.word for word in made.words] == SAID.split()
    assert 0 < made.words[-1].end <= made.duration


def test_a_stream(client: OpenAI, note: Any) -> None:
    events = list(client.audio.transcriptions.create(file=note, model="whisper-1", stream=True))
    assert {event.type for event in events[:-1]} == {"transcript.text.delta"}
    assert (events[-1].type, events[-1].text) == ("transcript.text.done", SAID)  # type: ignore[union-attr]


def test_a_translation_of_english_is_its_transcript(client: OpenAI, note: Any) -> None:
    # The client calls this deprecated, as OpenAI does; other servers go on having it.
    with pytest.warns(DeprecationWarning):
        made = client.audio.translations.create(file=note, model="whisper-1", response_format="verbose_json")
    assert (made.text, made.language) == (SAID, "english")


def test_silence_and_noise_say_nothing(client: OpenAI) -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, 6 * RATE).clip(-1, 1).astype(np.float32)
    for samples in (np.zeros(3 * RATE, np.float32), noise):
        file = ("quiet.wav", wav(Audio(samples)))
        assert client.audio.transcriptions.create(file=file, model="whisper-1").text == ""
        captions = client.audio.transcriptions.create(file=file, model="whisper-1", response_format="vtt")
        assert captions == "WEBVTT\n\n"


def test_refusals_are_the_clients_own_errors(client: OpenAI, note: Any) -> None:
    with pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(file=note, model="gpt-4o-transcribe")
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(file=note, model="whisper-1", language="de")
    assert refused.value.param == "language"
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(file=note, model="whisper-1", include=["logprobs"])
    assert refused.value.param == "include[]"
    with pytest.raises(openai.BadRequestError) as refused:
        client.audio.transcriptions.create(file=note, model="whisper-1", chunking_strategy={"type": "server_vad"})
    assert refused.value.param == "chunking_strategy[type]"
