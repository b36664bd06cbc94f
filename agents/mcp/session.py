"""A connection to another MCP server, by the official client library.

`langchain_mcp_adapters` opens the transport. Its tools are not used: they validate, convert and raise in ways
that hide whether a call was sent, and the ledger lives on knowing that.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

import anyio
import httpx
from langchain_mcp_adapters.sessions import Connection, create_session
from mcp import ClientSession, McpError, types
from pydantic import BaseModel

from agents.mcp.answers import Said, understood
from agents.mcp.tools import KEY, Described
from agents.mcp.wire import Failure, Wire
from core.canonical import JSON
from core.errors import InvalidInput, OutcomeUnknown, SystemFault, SystemUnavailable
from core.mcp import McpServerSettings

_Result = TypeVar("_Result", bound=BaseModel)

_MOST_PAGES = 50
_SESSION_OVER = 32600  # the client library's own code, positive, for a 404
_REFUSALS = frozenset({types.INVALID_PARAMS, types.METHOD_NOT_FOUND, types.INVALID_REQUEST, types.PARSE_ERROR})
_CLOSED = (anyio.ClosedResourceError, anyio.BrokenResourceError)
# What connecting and staying connected may end with, in the client library and below it.
_BROKEN = (McpError, httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError, SystemFault, *_CLOSED)


@asynccontextmanager
async def open_session(name: str, settings: McpServerSettings) -> AsyncIterator[McpSession]:
    """Connect. Raises `SystemUnavailable` when that cannot be done, or when the connection breaks."""
    mark = secrets.token_hex(16)
    opened = McpSession(name, settings, mark)
    try:
        async with create_session(_connection(settings, mark, opened)) as session:
            async with asyncio.timeout(settings.timeout):
                await session.initialize()
            opened.session = session
            yield opened
    except* _BROKEN as group:
        opened.broken = next(_leaves(group))
    finally:
        opened.lose()
    if opened.broken is not None:
        raise SystemUnavailable(_told(opened.broken)) from opened.broken


class McpSession:
    """See `agents.mcp.server.Session`."""

    def __init__(self, name: str, settings: McpServerSettings, mark: str) -> None:
        self.stirred = asyncio.Event()
        self.lost = False
        self.broken: BaseException | None = None
        self.session: ClientSession | None = None
        self._name = name
        self._settings = settings
        self._mark = mark

    def lose(self) -> None:
        """Say that nothing comes of this connection any more."""
        self.lost = True
        self.stirred.set()

    async def heed(self, message: object) -> None:
        """Take notice of what the server says unasked."""
        root = message.root if isinstance(message, types.ServerNotification) else None
        if isinstance(root, types.ToolListChangedNotification):
            self.stirred.set()

    async def describe(self) -> list[Described]:
        """See `Session.describe`."""
        tools: list[types.Tool] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            params = types.PaginatedRequestParams(cursor=cursor)
            asked = types.ClientRequest(types.ListToolsRequest(params=params))
            try:
                page = await self._ask(asked, types.ListToolsResult)
            except (OutcomeUnknown, InvalidInput) as problem:
                raise SystemUnavailable(f"its tools cannot be listed: {problem.message}") from problem
            tools += page.tools
            cursor = page.nextCursor
            if not cursor:
                break
        return [_described(tool) for tool in tools]

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None) -> Said:
        """See `Session.call`."""
        meta = None if key is None else types.RequestParams.Meta.model_validate({KEY: key})
        params = types.CallToolRequestParams(name=tool, arguments=dict(arguments), _meta=meta)
        asked = types.ClientRequest(types.CallToolRequest(params=params))
        result = await self._ask(asked, types.CallToolResult)
        said = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        return understood(said, self._settings.answer_characters)

    async def _ask(self, request: types.ClientRequest, kind: type[_Result]) -> _Result:
        if self.session is None or self.lost:
            raise SystemUnavailable(f"the MCP server {self._name} is not connected")
        patience = timedelta(seconds=self._settings.timeout)
        try:
            return await self.session.send_request(request, kind, request_read_timeout_seconds=patience)
        except _CLOSED:
            self.lose()
            raise SystemUnavailable(f"the connection to the MCP server {self._name} is closed") from None
        except McpError as problem:
            raise self._known(problem.error) from None
        except ValueError:
            raise OutcomeUnknown(f"{self._name} answered what nobody can read") from None

    def _known(self, error: types.ErrorData) -> SystemFault | InvalidInput:
        """What an error says of the call: refused, not done, or nobody knows."""
        why = " ".join(error.message.split())[:300]
        if error.data == self._mark:
            if error.code == Failure.NEVER_SENT:
                # Other calls may still be answered; whether the server is away, the next look at its tools will show.
                self.stirred.set()
            if error.code in (Failure.NEVER_SENT, Failure.REFUSED):
                return SystemUnavailable(f"the MCP server {self._name} did not take the call: {why}")
            return OutcomeUnknown(f"nobody knows what {self._name} made of the call: {why}")
        if error.code == _SESSION_OVER:
            self.lose()
            return SystemUnavailable(f"the MCP server {self._name} knows this session no more")
        if error.code in _REFUSALS:
            return InvalidInput(f"refused by {self._name}: {why}", code="refused_by_server")
        if error.code == types.CONNECTION_CLOSED:
            self.lose()
        return OutcomeUnknown(f"nobody knows what {self._name} made of the call: {why}")


def _connection(settings: McpServerSettings, mark: str, opened: McpSession) -> Connection:
    session: dict[str, Any] = {
        "message_handler": opened.heed,
        "client_info": types.Implementation(name="wayside", version="1"),
    }
    if settings.command is not None:
        return {
            "transport": "stdio",
            "command": settings.command,
            "args": list(settings.args),
            "env": settings.revealed(settings.env),
            "session_kwargs": session,
        }
    assert settings.url is not None, "either a command or a URL"  # noqa: S101

    def client(
        headers: dict[str, str] | None = None, timeout: httpx.Timeout | None = None, auth: httpx.Auth | None = None
    ) -> httpx.AsyncClient:
        wire = Wire(httpx.AsyncHTTPTransport(), mark)
        return httpx.AsyncClient(transport=wire, headers=headers, timeout=timeout, auth=auth, trust_env=False)

    return {
        "transport": "streamable_http",
        "url": settings.url,
        # Compressed answers could not be measured before they are unpacked.
        "headers": {**settings.revealed(settings.headers), "accept-encoding": "identity"},
        "timeout": settings.timeout,
        "sse_read_timeout": max(300.0, settings.timeout),
        "httpx_client_factory": client,
        "session_kwargs": session,
    }


def _described(tool: types.Tool) -> Described:
    hints = tool.annotations or types.ToolAnnotations()
    return Described(
        name=tool.name,
        description=tool.description or tool.title or "",
        schema=tool.inputSchema,
        read_only=hints.readOnlyHint is True,
        idempotent=hints.idempotentHint is True,
        destructive=hints.destructiveHint is not False,
    )


def _leaves(problem: BaseException) -> Iterator[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        for each in problem.exceptions:
            yield from _leaves(each)
    else:
        yield problem


def _told(problem: BaseException) -> str:
    """Why a connection cannot be had, in words that give no secret away."""
    if isinstance(problem, SystemFault):
        return problem.message
    if isinstance(problem, McpError) and problem.error.code == _SESSION_OVER:
        return "it answered with status 404"
    if isinstance(problem, McpError):
        return " ".join(problem.error.message.split())[:300]
    if isinstance(problem, TimeoutError | httpx.TimeoutException):
        return "it gave no answer in time"
    if isinstance(problem, FileNotFoundError | PermissionError):
        return f"its command cannot be run ({problem.strerror})"
    return f"it cannot be reached ({type(problem).__name__})"
