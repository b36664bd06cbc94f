import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message

from app.sse import EventStream
from core.errors import EngineTimeout

Events = AsyncIterator[dict[str, Any]]


async def sent(events: Events, *, leaves_after: float = 60, heartbeat: float = 60) -> bytes:
    body = bytearray()

    async def receive() -> Message:
        await asyncio.sleep(leaves_after)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        body.extend(message.get("body", b""))

    try:
        await EventStream(events, {}, heartbeat)({"type": "http"}, receive, send)
    finally:
        sent.last = bytes(body)  # type: ignore[attr-defined]
    return bytes(body)


async def test_events_are_bare_data_lines_and_then_done() -> None:
    async def events() -> Events:
        yield {"a": 1}
        yield {"b": "ü\n"}

    assert await sent(events()) == 'data: {"a":1}\n\ndata: {"b":"ü\\n"}\n\ndata: [DONE]\n\n'.encode()


async def test_silence_is_filled_with_comments() -> None:
    async def events() -> Events:
        await asyncio.sleep(0.2)
        yield {"a": 1}

    body = await sent(events(), heartbeat=0.05)
    assert body.startswith(b": waiting\n\n")
    assert b"id:" not in body


async def test_a_client_that_leaves_closes_the_source() -> None:
    closed = asyncio.Event()

    async def events() -> Events:
        try:
            yield {"a": 1}
            await asyncio.sleep(60)
        finally:
            closed.set()

    assert await sent(events(), leaves_after=0.05) == b'data: {"a":1}\n\n'
    assert closed.is_set()


async def test_an_error_of_ours_ends_the_stream_in_the_contract() -> None:
    async def events() -> Events:
        yield {"a": 1}
        raise EngineTimeout("too slow")

    last = (await sent(events())).decode().split("\n\n")[1]
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "engine_timeout"


async def test_an_unforeseen_error_is_told_without_its_words_and_raised() -> None:
    async def events() -> Events:
        yield {"a": 1}
        raise RuntimeError("swordfish")

    with pytest.raises(RuntimeError):
        await sent(events())
    body: bytes = sent.last  # type: ignore[attr-defined]
    assert b"internal_error" in body
    assert b"swordfish" not in body
    assert b"[DONE]" not in body
