"""The official client talks to the gateway over its realtime connection."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import websockets
from openai import AsyncOpenAI

from app.senses import open_senses
from core.modelstore import ModelStore
from core.settings import RealtimeSettings
from multimodal.speak.hibari import HibariSpeaker
from tests.e2e.server import Server
from tests.fakes.gateway import Gateway, gateway, listening, started
from tests.fakes.parts import SENTENCE

CHUNK = 4800


@asynccontextmanager
async def talking(tmp_path: Path, **realtime: Any) -> AsyncIterator[tuple[Gateway, str]]:
    """The gateway with the packaged voice, detector and recogniser."""
    limits = RealtimeSettings(**realtime)
    async with gateway(tmp_path, realtime=limits) as made, AsyncExitStack() as stack:
        store = ModelStore()
        store.pull(made.parts.settings.speech.model)
        made.parts.senses = open_senses(made.parts.settings, store, stack)
        async with started(made.parts) as (app, http):
            there = replace(made, app=app, http=http)
            async with listening(there) as url:
                yield there, url


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[tuple[Gateway, str]]:
    async with talking(tmp_path) as both:
        yield both


@pytest.fixture
async def client(there: tuple[Gateway, str]) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=there[0].keys["client"], base_url=f"{there[1]}/v1") as official:
        yield official


async def until(connection: Any, kind: str) -> list[Any]:
    """What comes, up to the first event of this kind."""
    got = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(120):
            async for event in connection:
                got.append(event)
                if event.type == kind:
                    return got
    raise AssertionError(f"no {kind} came: {[event.type for event in got]}")


def told(events: list[Any], kind: str) -> str:
    return "".join(event.delta for event in events if event.type == kind)


def message(text: str) -> Any:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def speech(text: str) -> bytes:
    """What a person says, and the silence behind it, as a client's microphone sends it."""
    voice = HibariSpeaker()
    said = b"".join([piece async for piece in voice.speak(text)])
    await voice.close()
    return bytes(CHUNK * 2) + said + bytes(48_000)


async def say(connection: Any, sound: bytes) -> None:
    for at in range(0, len(sound), CHUNK):
        await connection.input_audio_buffer.append(audio=base64.b64encode(sound[at : at + CHUNK]).decode())


async def test_a_written_turn(client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="wayside") as connection:
        await until(connection, "session.created")
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(item=message("Can I return a tent?"))
        await connection.response.create()
        events = await until(connection, "response.done")
        assert told(events, "response.output_text.delta") == SENTENCE
        assert events[-1].response.status == "completed"
        assert events[-1].response.output[0].content[0].text == SENTENCE


async def test_a_spoken_turn(there: tuple[Gateway, str], client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="wayside", extra_query={"thread_id": "voice-1"}) as connection:
        await until(connection, "session.created")
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-tiny.en"}}}}
        )
        await say(connection, await speech("Can I return a tent that was used for a week?"))
        events = await until(connection, "response.done")
        kinds = [event.type for event in events]
        for kind in (
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
        ):
            assert kinds.count(kind) == 1
        completed = next(event for event in events if event.type.endswith("input_audio_transcription.completed"))
        for word in ("return", "tent", "week"):
            assert word in completed.transcript.lower()
        assert told(events, "conversation.item.input_audio_transcription.delta") == completed.transcript
        assert told(events, "response.output_audio_transcript.delta") == SENTENCE
        sound = b"".join(
            base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta"
        )
        assert len(sound) > 48_000
        turn = there[0].parts.assistant.turns[0]
        assert (turn.thread_id, turn.messages[0].text) == ("voice-1", completed.transcript)


async def test_whoever_interrupts_is_listened_to(there: tuple[Gateway, str], client: AsyncOpenAI) -> None:
    interruption = await speech("Wait a moment, please.")
    # To hear it all takes longer than to hear the interruption, however busy the machine is.
    text = "You can return it within 30 days. " * 40
    there[0].parts.assistant.text = text
    async with client.realtime.connect(model="wayside") as connection:
        await connection.conversation.item.create(item=message("Can I return a tent?"))
        await connection.response.create()
        await until(connection, "response.output_audio.delta")
        there[0].parts.assistant.text = SENTENCE
        await say(connection, interruption)
        events = await until(connection, "conversation.item.truncated")
        assert events[-1].audio_end_ms >= 0
        await until(connection, "response.output_audio.delta")
        await until(connection, "response.done")
    said, heard = there[0].parts.assistant.marks[0]
    assert said.startswith("You can return it")
    assert text.startswith(said)
    assert said.startswith(heard)


async def test_what_is_wrong_is_answered_and_the_session_goes_on(client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="wayside") as connection:
        await connection.send({"type": "nonsense", "event_id": "mine"})  # type: ignore[arg-type]
        error = (await until(connection, "error"))[-1].error
        assert (error.param, error.event_id) == ("type", "mine")
        await connection.session.update(session={"type": "realtime", "tools": [{"type": "function", "name": "x"}]})
        assert (await until(connection, "error"))[-1].error.param == "session.tools"
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await until(connection, "session.updated")


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?model=wayside", {}, 401),
        ("?model=wayside", {"authorization": "Bearer wsk_no"}, 401),
        ("?model=gpt-realtime", None, 404),
        ("?model=wayside&thread_id=a%20b", None, 400),
        ("?call_id=1", None, 400),
    ],
)
async def test_who_may_not_connect_is_told_by_the_status(
    there: tuple[Gateway, str], query: str, headers: dict[str, str] | None, status: int
) -> None:
    url = there[1].replace("http", "ws") + "/v1/realtime" + query
    sent = {"authorization": f"Bearer {there[0].keys['client']}"} if headers is None else headers
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(url, additional_headers=sent)
    assert refused.value.response.status_code == status
    assert b'"code"' in refused.value.response.body


async def test_a_browser_sends_its_key_as_a_subprotocol(there: tuple[Gateway, str]) -> None:
    url = there[1].replace("http", "ws") + "/v1/realtime?model=wayside"
    offered: Any = ["realtime", f"openai-insecure-api-key.{there[0].keys['client']}"]
    async with websockets.connect(url, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        assert '"session.created"' in str(await socket.recv())


@pytest.mark.parametrize(
    ("limits", "sent", "told", "code"),
    [
        ({"idle_seconds": 0.3}, "", "session_expired", 1001),
        ({"session_seconds": 0.3}, "", "session_expired", 1001),
        ({"event_bytes": 64 * 2**10}, "x" * 2**17, "too_large", 1009),
    ],
)
async def test_a_session_that_is_over_its_limits_is_closed(
    tmp_path: Path, limits: dict[str, Any], sent: str, told: str, code: int
) -> None:
    async with talking(tmp_path, **limits) as (made, url):
        where = url.replace("http", "ws") + "/v1/realtime"
        headers = {"authorization": f"Bearer {made.keys['client']}"}
        async with websockets.connect(where, additional_headers=headers) as socket:
            if sent:
                await socket.send(sent)
            last = ""
            with contextlib.suppress(websockets.ConnectionClosedError):
                async for event in socket:
                    last = str(event)
            assert told in last
            assert socket.close_code == code


async def test_there_are_only_so_many_sessions(tmp_path: Path) -> None:
    async with talking(tmp_path, sessions=1) as (made, url):
        where = url.replace("http", "ws") + "/v1/realtime"
        headers = {"authorization": f"Bearer {made.keys['client']}"}
        async with websockets.connect(where, additional_headers=headers):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(where, additional_headers=headers)
            assert refused.value.response.status_code == 429
        while True:
            try:
                async with websockets.connect(where, additional_headers=headers):
                    return
            except websockets.InvalidStatus:
                await asyncio.sleep(0.05)


async def test_a_tool_call_that_was_talked_over_is_made_once(demo_server: Server) -> None:
    official = AsyncOpenAI(base_url=f"{demo_server.url}/v1", api_key=demo_server.key)
    with demo_server.http() as http:
        before = {ticket["id"] for ticket in http.get("/api/tickets?limit=100").json()["data"]}
        asked = "Please open a ticket: the zip of my tent tore on the first day."
        async with official, official.realtime.connect(model="wayside") as connection:
            thread = (await until(connection, "session.created"))[-1].session.wayside["thread_id"]
            await connection.conversation.item.create(item=message(asked))
            await connection.response.create()
            await until(connection, "response.created")
            await connection.response.cancel()
            done = (await until(connection, "response.done"))[-1].response
            assert done.status == "cancelled"
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            await connection.conversation.item.create(item=message("Thank you."))
            await connection.response.create()
            await until(connection, "response.done")
        after = http.get("/api/tickets?limit=100").json()["data"]
        made = [ticket for ticket in after if ticket["id"] not in before]
        assert len(made) == 1
        state = http.get(f"/threads/{thread}/state").json()["values"]["messages"]
        answers = [each for each in state if each["type"] == "ai"]
        assert made[0]["id"] in answers[0]["response_metadata"]["said"]
        assert made[0]["id"] not in answers[0]["content"]
