import asyncio
import base64
from dataclasses import replace
from typing import Any

import orjson
import pytest

from core.errors import EngineUnavailable, MissingExtra
from tests.fakes.gateway import Gateway, started


async def speak(served: Gateway, **body: Any) -> Any:
    asked = {"model": "hibari-tts", "input": "Hello there. How are you?", "voice": "hum", "response_format": "pcm"}
    return await served.call("POST", "/v1/audio/speech", json={**asked, **body})


async def test_the_sound_is_what_the_voice_says(served: Gateway) -> None:
    answer = await speak(served)
    expected = b"".join([piece async for piece in served.parts.speaker.speak("Hello there. How are you?")])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/pcm")
    assert answer.content == expected


async def test_the_model_has_two_names(served: Gateway) -> None:
    assert (await speak(served, model="tts-1")).content == (await speak(served)).content


async def test_voice_and_speed_are_honoured(served: Gateway) -> None:
    plain, slow = (await speak(served)).content, (await speak(served, speed=0.5)).content
    assert len(slow) == 2 * len(plain)
    assert (await speak(served, voice={"id": "drone"})).content not in (plain, slow)


@pytest.mark.parametrize(
    ("made", "kind", "head"),
    [
        ("mp3", "audio/mpeg", b"ID3"),
        ("opus", "audio/ogg", b"OggS"),
        ("aac", "audio/aac", b"\xff\xf1"),
        ("flac", "audio/flac", b"fLaC"),
        ("wav", "audio/wav", b"RIFF"),
    ],
)
async def test_formats(served: Gateway, made: str, kind: str, head: bytes) -> None:
    answer = await speak(served, response_format=made)
    assert answer.headers["content-type"] == kind
    assert answer.content.startswith(head)


async def test_events_hold_the_same_sound(served: Gateway) -> None:
    answer = await speak(served, stream_format="sse")
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    events = [orjson.loads(line) for line in lines if line != "[DONE]"]
    sound = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
    assert sound == (await speak(served)).content
    assert events[-1]["type"] == "speech.audio.done"
    assert len(events) == 3


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": "[1] …"}, 400, "input"),
        ({"input": "a" * 4097}, 400, "input"),
        ({"voice": "alloy"}, 400, "voice"),
        ({"voice": 3}, 400, "voice"),
        ({"response_format": "ogg"}, 400, "response_format"),
        ({"speed": 0.2}, 400, "speed"),
        ({"speed": 4.5}, 400, "speed"),
        ({"instructions": "whisper"}, 400, "instructions"),
        ({"stream_format": "ws"}, 400, "stream_format"),
        ({"user": "jo"}, 400, "user"),
        ({"model": "tts-9"}, 404, "model"),
    ],
)
async def test_what_is_refused_is_named(served: Gateway, body: dict[str, Any], status: int, param: str) -> None:
    answer = await speak(served, **body)
    assert (answer.status_code, answer.json()["param"]) == (status, param)


async def test_an_unknown_voice_is_told_which_there_are(served: Gateway) -> None:
    assert "hum, drone" in (await speak(served, voice="alloy")).json()["message"]


async def test_without_a_voice_the_text_comes_back(served: Gateway) -> None:
    served.parts.senses = replace(served.parts.senses, speaking=MissingExtra("hibari-tts", "voice"))
    async with started(served.parts) as (app, http):
        answer = await speak(replace(served, app=app, http=http))
    assert answer.status_code == 501
    assert "pip install" in answer.json()["message"]
    assert answer.json()["error"]["text"] == "Hello there. How are you?"


async def test_a_voice_that_fails_first_is_told_by_its_status(served: Gateway) -> None:
    served.parts.speaker.failure = EngineUnavailable("gone")
    answer = await speak(served)
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")


async def test_the_first_sentence_does_not_wait_for_the_second(served: Gateway) -> None:
    gate = served.parts.speaker.gate = asyncio.Semaphore(1)
    asking = asyncio.create_task(speak(served))
    while not served.parts.speaker.said:
        await asyncio.sleep(0.01)
    assert not asking.done()
    assert served.parts.speaker.said == ["Hello there."]
    gate.release()
    assert (await asking).status_code == 200
