"""A light HTTP/1.1 load: one prepared request, over and over, on connections that are kept.

The answer is only looked at as far as needed to know that it was a 200 and where it ends, so that on a machine
with few cores the load does not measure itself.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


def post(path: str, body: Mapping[str, Any], key: str = "") -> bytes:
    """A whole POST request, ready to be sent again and again."""
    content = json.dumps(body).encode()
    bearer = f"authorization: Bearer {key}\r\n" if key else ""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{bearer}content-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def missing(answer: bytes) -> int:
    """How many bytes of the answer have not come yet; at least 1 before its head is whole.

    Raises `ConnectionError` for an answer that is not a 200 with a length.
    """
    end = answer.find(_HEAD_END)
    if end < 0:
        return 1
    length = _LENGTH.search(answer, 0, end + 2)
    if not answer.startswith(b"HTTP/1.1 200") or length is None:
        raise ConnectionError(f"not the answer that was asked for: {answer[:600]!r}")
    return end + len(_HEAD_END) + int(length[1]) - len(answer)


def sequential(port: int, requests: Iterable[bytes]) -> list[float]:
    """Milliseconds of each of the requests, one after the other on one connection."""
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            begun = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            while missing(answer) > 0:
                if not (more := connection.recv(65536)):
                    raise ConnectionError("the server closed the connection amid an answer")
                answer += more
            times.append((time.perf_counter() - begun) * 1000)
    return times


def saturate(port: int, request: bytes, connections: int, seconds: float) -> float:
    """Answers a second with `connections` requests under way at every moment."""
    return uvloop.run(_saturate(port, request, connections, seconds))


async def _saturate(port: int, request: bytes, connections: int, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()
    clients = [_Client(request, failed) for _ in range(connections)]
    begun = time.perf_counter()
    for client in clients:
        await loop.create_connection(partial(_itself, client), "127.0.0.1", port)
    await asyncio.wait([failed], timeout=seconds)
    elapsed = time.perf_counter() - begun
    if failed.done():
        failed.result()
    answered = sum(client.answered for client in clients)
    for client in clients:
        client.stop()
    return answered / elapsed


def _itself(client: _Client) -> _Client:
    return client


class _Client(asyncio.Protocol):
    """Sends the request again as soon as the answer is whole."""

    def __init__(self, request: bytes, failed: asyncio.Future[None]) -> None:
        self.answered = 0
        self._request = request
        self._failed = failed
        self._answer = b""
        self._stopped = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's without being its subclasses.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        try:
            if missing(self._answer) > 0:
                return
        except ConnectionError as error:
            self._fail(error)
            return
        self.answered += 1
        self._answer = b""
        if not self._stopped:
            self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._stopped:
            self._fail(exc or ConnectionError("the server closed a connection"))

    def stop(self) -> None:
        """Close the connection, whatever is under way on it."""
        self._stopped = True
        self._transport.abort()

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)


def paced(port: int, requests: Sequence[bytes], rate: float, connections: int) -> list[float]:
    """Milliseconds of each of the requests, sent `rate` a second whatever the server does.

    A request that no connection was free for is counted from the moment when it was due, so that a server that falls
    behind is seen to.
    """

    async def one(queue: asyncio.Queue[tuple[float, bytes]], times: list[float]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                due, request = await queue.get()
                writer.write(request)
                answer = await reader.read(65536)
                while missing(answer) > 0:
                    if not (more := await reader.read(65536)):
                        raise ConnectionError("the server closed the connection amid an answer")
                    answer += more
                times.append((time.perf_counter() - due) * 1000)
                queue.task_done()
        finally:
            writer.close()

    async def drive() -> list[float]:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        times: list[float] = []
        workers = [asyncio.create_task(one(queue, times)) for _ in range(connections)]
        begun = time.perf_counter()
        for number, request in enumerate(requests):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            queue.put_nowait((due, request))
        finished = asyncio.create_task(queue.join())
        await asyncio.wait([finished, *workers], return_when=asyncio.FIRST_COMPLETED)
        for worker in workers:
            if worker.done():
                worker.result()
            worker.cancel()
        await asyncio.wait(workers)
        return times

    return uvloop.run(drive())
