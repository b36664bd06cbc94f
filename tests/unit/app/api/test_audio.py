"""What is heard at /v1/audio, in every format, and what is refused."""

from __future__ import annotations

import io
import wave
from typing import Any

import httpx2
import numpy as np
import orjson
import pytest

from core.errors import EngineUnavailable
from core.media import RATE
from tests.fakes.gateway import Gateway

ORDER = "Where is my order?"


def sound(seconds: float = 2.0, loudness: float = 0.5) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        tone = loudness * np.sin(np.arange(round(seconds * RATE)) * 0.3)
        file.writeframes((tone * 32767).astype("<i2").tobytes())
    return written.getvalue()


async def ask(
    served: Gateway, fields: dict[str, Any] | None = None, content: bytes | None = None, **options: Any
) -> httpx2.Response:
    path = f"/v1/audio/{options.pop('task', 'transcriptions')}"
    files = {"file": ("note.wav", sound() if content is None else content)}
    return await served.call("POST", path, data={"model": "whisper-1", **(fields or {})}, files=files, **options)


async def test_json_has_the_text_and_the_seconds(served: Gateway) -> None:
    answer = await ask(served, role="client")
    assert answer.json() == {"text": ORDER, "usage": {"type": "duration", "seconds": 2}}


async def test_text_is_plain(served: Gateway) -> None:
    answer = await ask(served, {"response_format": "text"})
    assert (answer.text, answer.headers["content-type"]) == (f"{ORDER}\n", "text/plain; charset=utf-8")


async def test_captions(served: Gateway) -> None:
    srt = await ask(served, {"response_format": "srt"})
    vtt = await ask(served, {"response_format": "vtt"})
    assert srt.text == f"1\n00:00:00,000 --> 00:00:02,000\n{ORDER}\n\n"
    assert vtt.text == f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{ORDER}\n\n"


@pytest.mark.parametrize(
    ("wanted", "segments", "words"),
    [([], True, False), (["segment"], True, False), (["word"], False, True), (["word", "segment"], True, True)],
)
async def test_verbose_json_has_the_places_that_were_asked_for(
    served: Gateway, wanted: list[str], segments: bool, words: bool
) -> None:
    answer = (
        await ask(served, {"response_format": "verbose_json", "timestamp_granularities[]": wanted, "language": "en"})
    ).json()
    assert (answer["text"], answer["language"], answer["task"], answer["duration"]) == (
        ORDER,
        "english",
        "transcribe",
        2.0,
    )
    assert ("segments" in answer, "words" in answer) == (segments, words)
    if words:
        assert [each["word"] for each in answer["words"]] == ORDER.split()
        assert served.parts.transcriber.asked[-1]["words"] is True


async def test_a_stream_tells_the_segments_and_then_the_whole(served: Gateway) -> None:
    answer = await ask(served, {"stream": "true"}, sound(45))
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n") if line]
    assert lines.pop() == "[DONE]"
    *deltas, done = [orjson.loads(line) for line in lines]
    assert {each["type"] for each in deltas} == {"transcript.text.delta"}
    assert len(deltas) > 1
    assert (done["type"], done["text"]) == ("transcript.text.done", "".join(each["delta"] for each in deltas))
    prompts = [str(each["prompt"]) for each in served.parts.transcriber.asked]
    assert prompts[:2] == ["", ORDER]


async def test_prompt_and_task_are_passed_on(served: Gateway) -> None:
    answer = await ask(served, {"prompt": "Harbor & Pine", "response_format": "verbose_json"}, task="translations")
    assert (answer.json()["task"], answer.json()["language"]) == ("translate", "english")
    assert served.parts.transcriber.asked == [
        {"language": None, "translate": True, "prompt": "Harbor & Pine", "words": False}
    ]


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_silence_says_nothing(served: Gateway, stream: str) -> None:
    answer = await ask(served, {"stream": stream}, sound(1, 0))
    text = answer.json()["text"] if stream == "false" else orjson.loads(answer.text.split("\n")[0][6:])["text"]
    assert text == ""


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "gpt-4o-transcribe"}, 404, "model"),
        ({"temperature": "0.4"}, 400, "temperature"),
        ({"temperature": "warm"}, 400, "temperature"),
        ({"response_format": "diarized_json"}, 400, "response_format"),
        ({"response_format": "srt", "stream": "true"}, 400, "response_format"),
        ({"timestamp_granularities[]": ["word"]}, 400, "timestamp_granularities[]"),
        ({"include[]": ["logprobs"]}, 400, "include[]"),
        ({"chunking_strategy": "by_hand"}, 400, "chunking_strategy"),
        ({"chunking_strategy[type]": "server_vad"}, 400, "chunking_strategy[type]"),
        ({"known_speaker_names[]": ["Jo"]}, 400, "known_speaker_names[]"),
        ({"language": "english"}, 400, "language"),
        ({"language": "de"}, 400, "language"),
        ({"prompt": "a" * 4001}, 400, "prompt"),
        ({"user": "jo"}, 400, "user"),
    ],
)
async def test_what_is_refused_says_where(served: Gateway, fields: dict[str, Any], status: int, param: str) -> None:
    answer = await ask(served, fields)
    assert (answer.status_code, answer.json()["param"]) == (status, param)


async def test_a_translation_takes_no_language(served: Gateway) -> None:
    answer = await ask(served, {"language": "en"}, task="translations")
    assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_parameter")


@pytest.mark.parametrize("content", [b"", b"no sound at all"])
async def test_what_is_no_sound_is_refused(served: Gateway, content: bytes) -> None:
    answer = await ask(served, content=content)
    assert (answer.status_code // 100, answer.json()["param"]) == (4, "file")


async def test_a_recording_is_needed(served: Gateway) -> None:
    answer = await served.call("POST", "/v1/audio/transcriptions", data={"model": "whisper-1"})
    assert (answer.status_code, answer.json()["param"]) == (400, "file")


async def test_an_engine_that_is_away_is_told(served: Gateway) -> None:
    served.parts.transcriber.failure = EngineUnavailable("gone")
    assert (await ask(served)).status_code == 503
    streamed = await ask(served, {"stream": "true"})
    assert "engine_unavailable" in streamed.text
    assert "[DONE]" not in streamed.text


async def test_who_has_no_key_is_not_heard(served: Gateway) -> None:
    answer = await served.http.post("/v1/audio/transcriptions", files={"file": sound()}, data={"model": "whisper-1"})
    assert answer.status_code == 401
    assert served.parts.transcriber.asked == []
