"""/mcp: our tools for any MCP client, over streamable HTTP. Each request stands alone: there are no sessions."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.api.json import Json
from app.auth import Anyone
from app.tools import Tools

_PARSE_ERROR = -32700


class McpEndpoint:
    """The protocol's server, made when the first request comes: who serves no MCP client does not import it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._wanted = asyncio.Event()
        self._manager: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._wanted.wait()
        assert self._manager is not None, "made before it was wanted"  # noqa: S101
        try:
            protocol = await asyncio.to_thread(importlib.import_module, "app.api.mcp_protocol")
            manager = protocol.session_manager(self._tools)
        except BaseException as problem:
            self._manager.set_exception(problem)
            raise
        async with manager.run():
            self._manager.set_result(manager)
            await asyncio.Event().wait()

    async def manager(self) -> Any:
        """The running `StreamableHTTPSessionManager`."""
        if self._manager is None:
            self._manager = asyncio.get_running_loop().create_future()
            self._wanted.set()
        return await asyncio.shield(self._manager)


def routes(endpoint: McpEndpoint) -> APIRouter:
    """The router of this surface. There is nothing to GET or DELETE without sessions, which clients understand."""
    router = APIRouter(include_in_schema=False)

    @router.post("/mcp")
    async def mcp(request: Request, caller: Anyone) -> Response:
        """One message of the protocol."""
        body = await request.body()
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as problem:
            error = {"code": _PARSE_ERROR, "message": f"Parse error: {problem}"}
            return Json({"jsonrpc": "2.0", "id": None, "error": error}, 400)
        return _Handled(await endpoint.manager(), body)

    return router


class _Handled(Response):
    """The answer that the protocol's server gives to the body, which has been read within our limits."""

    def __init__(self, manager: Any, body: bytes) -> None:
        super().__init__()
        self._manager = manager
        self._given = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given: list[Message] = [{"type": "http.request", "body": self._given, "more_body": False}]

        async def replayed() -> Message:
            return given.pop() if given else await receive()

        await self._manager.handle_request(scope, replayed, send)
