"""What the client library is told when one request fails, and what it is left to know by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from agents.mcp.wire import Failure, Wire

ASKED = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {}}
ANSWER = {"jsonrpc": "2.0", "id": 7, "result": {}}


def answering(status: int = 200, body: Any = None, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda _request: httpx.Response(status, headers=told, content=content)


async def send(
    handler: Callable[[httpx.Request], httpx.Response], message: Any = ASKED, method: str = "POST"
) -> httpx.Response:
    wire = Wire(httpx.MockTransport(handler), "mark", longest=1000)
    async with httpx.AsyncClient(transport=wire) as client:
        return await client.request(method, "http://shed/mcp", json=message)


def failing(problem: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise problem

    return fail


async def test_an_answer_passes_as_it_is() -> None:
    response = await send(answering(200, ANSWER, mcp_session_id="s1"))
    assert (response.json(), response.headers["mcp-session-id"]) == (ANSWER, "s1")


@pytest.mark.parametrize(
    ("handler", "failure"),
    [
        (failing(httpx.ConnectError("refused")), Failure.NEVER_SENT),
        (failing(httpx.ConnectTimeout("slow")), Failure.NEVER_SENT),
        (failing(httpx.ReadTimeout("slow")), Failure.SILENCE),
        (failing(httpx.RemoteProtocolError("cut")), Failure.SILENCE),
        (failing(httpx.WriteError("cut")), Failure.SILENCE),
        (answering(401, {}), Failure.REFUSED),
        (answering(429, {}), Failure.REFUSED),
        (answering(500, {}), Failure.SILENCE),
        (answering(503, {}), Failure.SILENCE),
        (answering(200, b"<html>"), Failure.SILENCE),
        (answering(200, b"[" * 900), Failure.SILENCE),
        (answering(200, {**ANSWER, "id": 8}), Failure.SILENCE),
        (answering(200, ASKED), Failure.SILENCE),
        (answering(200, b" " * 2000), Failure.SILENCE),
        (answering(200, ANSWER, content_type="text/html"), Failure.SILENCE),
        (answering(200, b"\x1f\x8b", content_encoding="gzip"), Failure.SILENCE),
    ],
)
async def test_a_failure_is_an_error_of_this_request(
    handler: Callable[[httpx.Request], httpx.Response], failure: Failure
) -> None:
    response = await send(handler)
    told = response.json()
    assert (response.status_code, told["id"]) == (200, 7)
    assert (told["error"]["code"], told["error"]["data"]) == (failure.value, "mark")


async def test_what_the_library_knows_itself_is_left_to_it() -> None:
    assert (await send(answering(404, {}))).status_code == 404
    assert (await send(answering(202, {}))).status_code == 202
    assert (await send(answering(307, {}, location="http://shed/mcp/"))).status_code == 307
    # A notification has no answer, and a goodbye none that matters.
    assert (await send(answering(500, {}), {"jsonrpc": "2.0", "method": "notifications/x"})).status_code == 500
    assert (await send(answering(500, {}), None, "DELETE")).status_code == 500


class Pieces(httpx.AsyncByteStream):
    """A stream of events that ends, or breaks."""

    def __init__(self, *pieces: bytes, broken: bool = False) -> None:
        self._pieces = pieces
        self._broken = broken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._broken:
            raise httpx.ReadError("cut")


def streaming(*pieces: bytes, broken: bool = False) -> Callable[[httpx.Request], httpx.Response]:
    headers = {"content-type": "text/event-stream"}
    return lambda _request: httpx.Response(200, headers=headers, stream=Pieces(*pieces, broken=broken))


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("pieces", [(), (b": hello\n\n",), (b"event: message\ndata: {",), (b"x" * 2000,)])
async def test_a_stream_that_ends_without_an_answer_says_so(pieces: tuple[bytes, ...], broken: bool) -> None:
    text = (await send(streaming(*pieces, broken=broken))).text
    last = json.loads(text.rstrip().rpartition("data: ")[2])
    assert (last["id"], last["error"]["code"], last["error"]["data"]) == (7, Failure.SILENCE.value, "mark")


async def test_a_stream_that_can_be_resumed_is_left_to_the_library() -> None:
    assert "mark" not in (await send(streaming(b"id: 1\ndata:\n\n"))).text
    with pytest.raises(httpx.ReadError):
        await send(streaming(b"id: 1\ndata:\n\n", broken=True))
