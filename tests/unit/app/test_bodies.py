import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from app.bodies import Bodies
from core.settings import LimitSettings, MediaSettings
from tests.fakes.gateway import Gateway


async def drain(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass


MEDIA = MediaSettings(request_bytes=2**20)


async def feed(messages: list[Message], path: str = "/v1/embeddings", **headers: str) -> None:
    async def receive() -> Message:
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError("nothing answers here")

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "path": path, "headers": raw}
    await Bodies(drain, LimitSettings(body_bytes=1024), MEDIA, stall=0.05)(scope, receive, send)


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"x"}]
    with pytest.raises(HTTPException) as refused:
        await feed(messages, content_length="1025")
    assert refused.value.status_code == 413
    assert len(messages) == 1


@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/v1/responses/", "/threads/t/runs/wait", "/runs/stream", "/v1/audio/transcriptions"],
)
async def test_where_media_come_more_is_taken(path: str) -> None:
    await feed([{"type": "http.request", "body": b"x" * 2**20}], path)
    with pytest.raises(HTTPException) as refused:
        await feed([{"type": "http.request", "body": b"x"}], path, content_length=str(2**20 + 1))
    assert refused.value.detail == f"The body is larger than {2**20} bytes"


async def test_a_body_that_turns_out_too_large_is_dropped() -> None:
    chunk: Message = {"type": "http.request", "body": b"x" * 600, "more_body": True}
    with pytest.raises(HTTPException) as refused:
        await feed([chunk, dict(chunk), dict(chunk)])
    assert refused.value.status_code == 413


async def test_a_body_that_stops_arriving_is_given_up() -> None:
    with pytest.raises(HTTPException) as refused:
        await feed([{"type": "http.request", "body": b"x", "more_body": True}])
    assert refused.value.status_code == 408


async def test_a_body_of_the_largest_size_passes() -> None:
    await feed([{"type": "http.request", "body": b"x" * 1024}], content_length="1024")


@pytest.mark.parametrize("announced", [True, False])
async def test_too_large_is_a_413_in_the_contract(served: Gateway, announced: bool) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 2**16

    content: Any = b" " * (2**21 + 1) if announced else endless()
    headers = {"content-type": "application/json"}
    answer = await served.call("POST", "/v1/embeddings", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
