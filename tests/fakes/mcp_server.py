"""A foreign MCP server, made with the official library and run as a process: a shed whose tools are of every kind.

    python mcp_server.py stdio SHED
    python mcp_server.py http SHED PORT [TOKEN]

Whatever takes effect is a line in the file SHED, so that a test can count what happened, whoever died.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvicorn
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

ITEM = {"type": "object", "properties": {"item": {"type": "string", "maxLength": 20}}, "required": ["item"]}
NOTHING: dict[str, Any] = {"type": "object"}
AWAY = {"type": "object", "properties": {"item": {"$ref": "http://127.0.0.1:9/schema.json"}}}
READS = types.ToolAnnotations(readOnlyHint=True)
REPEATS = types.ToolAnnotations(idempotentHint=True)

TOOLS = [
    types.Tool(name="look", description="Show what is in the shed.", inputSchema=NOTHING, annotations=READS),
    types.Tool(name="put", description="Put something in.", inputSchema=ITEM),
    types.Tool(name="label", description="Label the shed.", inputSchema=ITEM, annotations=REPEATS),
    types.Tool(name="burn", description="Put something in, and die before saying so.", inputSchema=ITEM),
    types.Tool(name="burn.once", description="The same, but only once.", inputSchema=ITEM, annotations=REPEATS),
    types.Tool(name="refuse", description="Never works.", inputSchema=ITEM),
    types.Tool(name="sleep", description="Takes a minute.", inputSchema=NOTHING, annotations=READS),
    types.Tool(name="rummage", description="Says very much.", inputSchema=NOTHING, annotations=READS),
    types.Tool(name="stutter", description="Prints what is no message.", inputSchema=NOTHING, annotations=READS),
    types.Tool(name="nap", description="Takes a second.", inputSchema=NOTHING),
    types.Tool(name="extend", description="Grow a tool.", inputSchema=NOTHING),
    types.Tool(name="wrong", description="Its schema is somewhere else.", inputSchema=AWAY),
]


# Over HTTP, what some items meet before they reach the server: a status and a body.
OUTAGES = {"limited": (429, "{}"), "broken": (500, "{}"), "garbled": (200, "<html>"), "foreign": (200, '{"id": 1}')}


class Shed:
    """The server. `marked` notes what was done, and with which key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tools = list(TOOLS)
        self.server: Server[Any, Any] = Server("shed")
        self.server.request_handlers[types.ListToolsRequest] = self.list_tools
        self.server.request_handlers[types.CallToolRequest] = self.call_tool
        self.server.create_initialization_options = self._options  # type: ignore[method-assign]
        self._plain = Server.create_initialization_options

    def _options(self, *_given: Any, **_named: Any) -> Any:
        from mcp.server.lowlevel.server import NotificationOptions

        return self._plain(self.server, NotificationOptions(tools_changed=True))

    def mark(self, what: str) -> None:
        meta = self.server.request_context.meta
        key = (meta.model_extra or {}).get("wayside/idempotency-key", "-") if meta else "-"
        with self.path.open("a") as shed:
            shed.write(f"{what} {key}\n")

    async def list_tools(self, _request: types.ListToolsRequest) -> types.ServerResult:
        return types.ServerResult(types.ListToolsResult(tools=self.tools))

    async def call_tool(self, request: types.CallToolRequest) -> types.ServerResult:
        name, item = request.params.name, (request.params.arguments or {}).get("item", "")
        match name:
            case "look":
                lines = self.path.read_text().splitlines() if self.path.exists() else []
                return _said("\n".join(lines), {"lines": len(lines)})
            case "put" | "label":
                self.mark(f"{name} {item}")
                return _said(f"{item} is in", {"item": item})
            case "burn":
                self.mark(f"burn {item}")
                os._exit(1)
            case "burn.once":
                first = not self.path.exists()
                self.mark(f"burn {item}")
                if first:
                    os._exit(1)
                return _said("still there")
            case "refuse":
                return _said("the door\nis stuck", failed=True)
            case "sleep":
                await asyncio.sleep(60)
            case "rummage":
                return _said("x" * 1_000_000)
            case "stutter":
                print("hello\n{", flush=True)
                return _said("sorry")
            case "nap":
                await asyncio.sleep(1)
                self.mark("nap")
                return _said("good morning")
            case "extend":
                self.tools.append(types.Tool(name="new", inputSchema=NOTHING, annotations=READS))
                await self.server.request_context.session.send_tool_list_changed()
                return _said("grown")
        return _said("what?", failed=True)


def _said(text: str, structured: dict[str, Any] | None = None, *, failed: bool = False) -> types.ServerResult:
    block = types.TextContent(type="text", text=text)
    return types.ServerResult(types.CallToolResult(content=[block], structuredContent=structured, isError=failed))


async def over_stdio(shed: Shed) -> None:
    async with stdio_server() as (read, write):
        await shed.server.run(read, write, shed.server.create_initialization_options())


async def over_http(shed: Shed, port: int, token: str | None) -> None:
    manager = StreamableHTTPSessionManager(shed.server)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if token is not None and headers.get(b"authorization") != f"Bearer {token}".encode():
            await PlainTextResponse("who are you?", 401)(scope, receive, send)
            return
        message = await receive()
        for item, (status, body) in OUTAGES.items():
            if f'"item":"{item}"'.encode() in message.get("body", b""):
                await PlainTextResponse(body, status, media_type="application/json")(scope, receive, send)
                return
        given = [message]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await manager.handle_request(scope, again, send)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    app = Starlette(routes=[Mount("/mcp", guarded)], lifespan=lifespan)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error")).serve()


if __name__ == "__main__":
    made = Shed(Path(sys.argv[2]))
    if sys.argv[1] == "stdio":
        asyncio.run(over_stdio(made))
    else:
        asyncio.run(over_http(made, int(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None))
