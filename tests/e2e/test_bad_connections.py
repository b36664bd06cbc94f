"""What the wire can do to a request: half of it, none of it, too much of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes.gateway import Gateway, gateway, listening


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path) as running:
        yield running


async def talk(url: str, data: bytes, *, hang_up: bool = False) -> bytes:
    """Send raw bytes; return what comes back until the server closes or has answered, unless hanging up first."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(data)
    await writer.drain()
    answer = b""
    if not hang_up:
        answer = await asyncio.wait_for(reader.read(65536), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def head(served: Gateway, path: str, *lines: str) -> bytes:
    fields = [f"POST {path} HTTP/1.1", "host: x", f"authorization: Bearer {served.keys['admin']}", *lines, "", ""]
    return "\r\n".join(fields).encode()


async def test_a_half_written_upload_leaves_nothing(served: Gateway) -> None:
    part = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.md"\r\n\r\n# half of it'
    start = head(served, "/api/documents", "content-type: multipart/form-data; boundary=x", "content-length: 100000")
    async with listening(served) as url:
        await talk(url, start + part, hang_up=True)
        await asyncio.sleep(0.2)
        listed = (await served.call("GET", "/api/documents")).json()
    assert listed["data"] == []
    assert served.parts.documents.added == 0


async def test_a_half_written_request_under_a_key_leaves_the_key_free(served: Gateway) -> None:
    start = head(
        served,
        "/v1/chat/completions",
        "content-type: application/json",
        "content-length: 1000",
        "idempotency-key: once",
    )
    async with listening(served) as url:
        await talk(url, start + b'{"model": "echo-1"', hang_up=True)
        await asyncio.sleep(0.3)
        assert (await served.chat(headers={"idempotency-key": "once"})).status_code == 200


async def test_an_endless_chunked_body_is_cut(served: Gateway) -> None:
    start = head(served, "/v1/embeddings", "content-type: application/json", "transfer-encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    async with listening(served) as url:
        answer = await talk(url, start + chunk * 40)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("data", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST\r\n\r\n"])
async def test_what_is_not_http_is_a_400(served: Gateway, data: bytes) -> None:
    async with listening(served) as url:
        assert (await talk(url, data)).startswith(b"HTTP/1.1 400")
        assert (await served.http.get("/healthz")).status_code == 200


async def test_requests_in_flight_finish_when_the_server_stops(served: Gateway) -> None:
    served.parts.echo.pace = 0.5
    body = b'{"model": "echo-1", "messages": [{"role": "user", "content": "bye"}]}'
    request = head(served, "/v1/chat/completions", "content-type: application/json", f"content-length: {len(body)}")
    async with listening(served) as url:
        asking = asyncio.create_task(talk(url, request + body))
        await asyncio.sleep(0.2)
    answer = await asking
    assert answer.startswith(b"HTTP/1.1 200")
