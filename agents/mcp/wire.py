"""HTTP under the MCP client, with the failure of one request told to that request alone.

The client library ends the whole session, and every other call in it, when one request meets a status or a broken
connection; and it leaves a call waiting whose answer is no JSON or never comes. So failures are given to it as what it
understands: a JSON-RPC error of this one request, which bears a mark that no server can know. They say whether
the request can have been carried out: that is what decides whether it may be sent again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from enum import IntEnum

import httpx
from mcp.types import JSONRPCError, JSONRPCMessage, JSONRPCResponse

LONGEST_ANSWER = 8 * 2**20
_CLOSING = 2.0

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# Refused before anything was done, by everybody's understanding of the status. 404 says that the session is over, which
# the client library knows how to tell.
_REFUSED = frozenset({400, 401, 403, 405, 406, 407, 411, 413, 415, 429})


class Failure(IntEnum):
    """What is known of a request that got no answer, as the code of its JSON-RPC error."""

    NEVER_SENT = 1
    REFUSED = 2
    SILENCE = 3


class Wire(httpx.AsyncBaseTransport):
    """Sends requests through `inner`. `mark` stands in the `data` of each error that is ours."""

    def __init__(self, inner: httpx.AsyncBaseTransport, mark: str, longest: int = LONGEST_ANSWER) -> None:
        self._inner = inner
        self._mark = mark
        self._longest = longest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; an answer that is none comes back as an error of the protocol."""
        if request.method == "DELETE":
            # Saying goodbye is a courtesy: it must not hold up whoever is leaving.
            request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), _CLOSING)
        asked = _asked(request)
        if asked is None:
            return await self._inner.handle_async_request(request)
        try:
            response = await self._inner.handle_async_request(request)
            if response.status_code in (202, 404):
                return response
            return await self._answer(asked, response)
        except _NEVER_SENT as problem:
            return self._failed(asked, Failure.NEVER_SENT, f"it cannot be reached ({type(problem).__name__})")
        except httpx.TimeoutException:
            return self._failed(asked, Failure.SILENCE, "it gave no answer in time")
        except (httpx.TransportError, httpx.StreamError) as problem:
            return self._failed(asked, Failure.SILENCE, f"the connection broke ({type(problem).__name__})")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()

    async def _answer(self, asked: int | str, response: httpx.Response) -> httpx.Response:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        plain = response.headers.get("content-encoding", "identity") == "identity"
        if response.status_code == 200 and plain and kind == "text/event-stream":
            stream = _Events(response, self._longest, self._error(asked, Failure.SILENCE, "it gave no answer"))
            return httpx.Response(200, headers=response.headers, stream=stream)
        if response.is_redirect:
            return response
        content = await self._read(response)
        if response.status_code != 200:
            failure = Failure.REFUSED if response.status_code in _REFUSED else Failure.SILENCE
            return self._failed(asked, failure, f"it answered with status {response.status_code}")
        if content is None:
            return self._failed(asked, Failure.SILENCE, f"its answer is longer than {self._longest} bytes")
        if not plain or kind != "application/json" or not _answers(asked, content):
            return self._failed(asked, Failure.SILENCE, "its answer cannot be read")
        return httpx.Response(200, headers=response.headers, content=content)

    async def _read(self, response: httpx.Response) -> bytes | None:
        """The body; None when it is too long."""
        assert isinstance(response.stream, httpx.AsyncByteStream), "an asynchronous transport"  # noqa: S101
        content = bytearray()
        try:
            async for piece in response.stream:
                content += piece
                if len(content) > self._longest:
                    return None
        finally:
            await response.stream.aclose()
        return bytes(content)

    def _failed(self, asked: int | str, failure: Failure, why: str) -> httpx.Response:
        content = self._error(asked, failure, why)
        return httpx.Response(200, headers={"content-type": "application/json"}, content=content)

    def _error(self, asked: int | str, failure: Failure, why: str) -> bytes:
        error = {"code": failure.value, "message": why, "data": self._mark}
        return json.dumps({"jsonrpc": "2.0", "id": asked, "error": error}).encode()


class _Events(httpx.AsyncByteStream):
    """A stream of events; when it ends, however it ends, the request that still waits is told so.

    Streams whose events are numbered are left alone: the client library asks for the rest of those.
    """

    def __init__(self, response: httpx.Response, longest: int, error: bytes) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream), "an asynchronous transport"  # noqa: S101
        self._stream = response.stream
        self._longest = longest
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size, numbered = 0, False
        try:
            async for piece in self._stream:
                size += len(piece)
                if size > self._longest:
                    break
                numbered = numbered or piece.startswith(b"id:") or b"\nid:" in piece
                yield piece
        except httpx.TransportError:
            if numbered:
                raise
        if not numbered or size > self._longest:
            yield b"\n\nevent: message\ndata: " + self._error + b"\n\n"

    async def aclose(self) -> None:
        """Close the connection's side of it."""
        await self._stream.aclose()


def _asked(request: httpx.Request) -> int | str | None:
    """The id of the JSON-RPC request that this carries; None when it carries none."""
    if request.method != "POST":
        return None
    message = json.loads(request.content)
    return message.get("id") if "method" in message else None


def _answers(asked: int | str, content: bytes) -> bool:
    try:
        message = JSONRPCMessage.model_validate_json(content).root
    except ValueError:
        return False
    return isinstance(message, JSONRPCResponse | JSONRPCError) and str(message.id) == str(asked)
