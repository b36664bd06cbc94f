"""What a voice promises: the fake, the packaged one, and any endpoint's."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from core.errors import EngineRejected, EngineUnavailable, InvalidInput
from core.ports import Speaker
from core.settings import SpeechSettings
from multimodal.speak.hibari import HibariSpeaker
from multimodal.speak.remote import RemoteSpeaker
from tests.contract.conftest import served
from tests.fakes.speaker import HummingSpeaker

TEXT = "Hello there. You can return a tent within thirty days. Thank you!"


class VoiceServer:
    """OpenAI's endpoint over the fake voice. It sends pieces of odd lengths; `status` is answered instead."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[Any] = []

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        if self.status != 200:
            return JSONResponse({"error": {"message": "as ordered"}}, self.status)

        async def pieces() -> AsyncIterator[bytes]:
            voice = "drone" if body["voice"] == "echo" else "hum"
            async for piece in HummingSpeaker().speak(body["input"], voice=voice, speed=body["speed"]):
                for at in range(0, len(piece), 1001):
                    yield piece[at : at + 1001]

        return StreamingResponse(pieces(), media_type="audio/pcm")


@pytest.fixture(scope="module")
def voice_server() -> Iterator[tuple[VoiceServer, str]]:
    server = VoiceServer()
    with served(Starlette(routes=[Route("/v1/audio/speech", server.answer, methods=["POST"])])) as url:
        yield server, f"{url}/v1"


@pytest.fixture(params=["fake", "hibari", "remote"])
async def speaker(request: pytest.FixtureRequest, voice_server: tuple[VoiceServer, str]) -> AsyncIterator[Speaker]:
    if request.param == "fake":
        yield HummingSpeaker()
        return
    made: Any = (
        HibariSpeaker()
        if request.param == "hibari"
        else RemoteSpeaker(SpeechSettings.model_validate({"voice_url": voice_server[1]}))
    )
    yield made
    await made.close()


async def said(speaker: Speaker, text: str, **options: Any) -> bytes:
    return b"".join([piece async for piece in speaker.speak(text, **options)])


async def test_it_speaks_whole_samples_and_the_same_each_time(speaker: Speaker) -> None:
    pieces = [piece async for piece in speaker.speak(TEXT)]
    assert all(pieces)
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert await said(speaker, TEXT) == b"".join(pieces)
    assert len(pieces) > 1


async def test_each_sentence_adds_to_it(speaker: Speaker) -> None:
    assert len(await said(speaker, TEXT)) > len(await said(speaker, "Hello there.")) > speaker.rate // 5


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
async def test_speed_is_how_fast(speaker: Speaker, speed: float) -> None:
    usual, changed = len(await said(speaker, TEXT)), len(await said(speaker, TEXT, speed=speed))
    assert changed * speed == pytest.approx(usual, rel=0.15)


@pytest.mark.parametrize("text", ["", "  \n ", "[1]", "🙂", "…"])
async def test_nothing_to_say_is_silence(speaker: Speaker, text: str) -> None:
    assert await said(speaker, text) == b""


@pytest.mark.parametrize("text", ["a\x00b c", "\u202eHello", "12,34.5e6 % && <b>", "你好, hello", "[x](/het/) y"])
async def test_odd_text_does_no_harm(speaker: Speaker, text: str) -> None:
    assert await said(speaker, text)


async def test_every_voice_it_names_speaks_and_the_first_is_the_default(speaker: Speaker) -> None:
    spoken = {voice: await said(speaker, "Hello.", voice=voice) for voice in speaker.voices}
    assert all(spoken.values())
    assert spoken[speaker.voices[0]] == await said(speaker, "Hello.")


@pytest.mark.parametrize(
    ("options", "param"), [({"voice": "nobody"}, "voice"), ({"speed": 0.2}, "speed"), ({"speed": 4.1}, "speed")]
)
async def test_what_it_cannot_do_is_refused_at_once(speaker: Speaker, options: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        speaker.speak(TEXT, **options)
    assert refused.value.param == param


async def test_whoever_stops_listening_may_listen_again(speaker: Speaker) -> None:
    async with aclosing(cast("Any", speaker.speak(TEXT))) as pieces:
        await anext(pieces)
    assert await said(speaker, "Hello there.")


async def test_several_are_spoken_to_at_once(speaker: Speaker) -> None:
    alone = await said(speaker, TEXT)
    assert await asyncio.gather(*(said(speaker, TEXT) for _ in range(3))) == [alone] * 3


async def test_a_listener_who_is_cancelled_leaves_the_packaged_voice_in_order() -> None:
    speaker = HibariSpeaker()
    listening = asyncio.create_task(said(speaker, TEXT))
    other = asyncio.create_task(said(speaker, "Good morning."))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    listening.cancel()
    heard = await other
    assert heard == await said(speaker, "Good morning.")
    await speaker.close()


async def test_the_packaged_voice_starts_anew_when_its_process_died() -> None:
    speaker = HibariSpeaker()
    before = await said(speaker, "Hello there.")
    child = speaker._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    assert await said(speaker, "Hello there.") == before
    await speaker.close()


async def test_whoever_is_spoken_to_when_it_closes_is_told_and_no_process_stays() -> None:
    speaker = HibariSpeaker()
    sound = speaker.speak(TEXT)
    await anext(sound)
    listening = asyncio.create_task(said(speaker, TEXT))
    await asyncio.sleep(0)
    await speaker.close()
    with pytest.raises(EngineUnavailable):
        await listening
    with pytest.raises(EngineUnavailable):
        await anext(sound)
    assert speaker._child is None


async def test_a_voice_that_closes_while_its_process_starts_leaves_none() -> None:
    speaker = HibariSpeaker()
    listening = asyncio.create_task(said(speaker, TEXT))
    await asyncio.sleep(0.001)
    await speaker.close()
    with pytest.raises(EngineUnavailable):
        await listening
    assert speaker._child is None


@pytest.mark.parametrize("pause", [0.0, 0.2, 1.2])
async def test_a_voice_that_closes_while_it_speaks_breaks_off(pause: float) -> None:
    speaker = HibariSpeaker()
    listening = asyncio.create_task(said(speaker, TEXT * 300))
    await asyncio.sleep(pause)
    await speaker.close()
    with pytest.raises(EngineUnavailable):
        await listening
    assert speaker._child is None


async def test_only_voices_that_are_here_are_offered() -> None:
    assert HibariSpeaker().voices[0] == "heart"
    with pytest.raises(InvalidInput, match="heart"):
        HibariSpeaker("nobody")


@pytest.mark.parametrize(
    ("status", "error"), [(400, EngineRejected), (401, EngineUnavailable), (500, EngineUnavailable)]
)
async def test_an_endpoint_that_refuses(
    voice_server: tuple[VoiceServer, str], status: int, error: type[Exception]
) -> None:
    server, url = voice_server
    speaker = RemoteSpeaker(SpeechSettings.model_validate({"voice_url": url}))
    server.status = status
    with pytest.raises(error):
        await said(speaker, TEXT)
    server.status = 200
    await speaker.close()


async def test_an_endpoint_that_is_not_there() -> None:
    speaker = RemoteSpeaker(SpeechSettings.model_validate({"voice_url": "http://127.0.0.1:9/v1"}))
    with pytest.raises(EngineUnavailable):
        await said(speaker, TEXT)
    await speaker.close()
