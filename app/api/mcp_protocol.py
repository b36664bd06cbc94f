"""What MCP clients may list and call: the tools of their key's role, through the same doors as everybody.

A result always has the same in words and as an object. What waits for people is a result that says so; a refusal is an
error of the tool, which a model can read and heed; only what no model caused (an unknown tool, a malformed key) is an
error of the protocol.

In a call's `_meta` the client, not its model, may say two things. `wayside/idempotency-key`: the call with this key,
tool and arguments takes effect once, and coming again it tells how things stand by then. `wayside/subject`: the
customer, order or ticket that the conversation is about, within what the key may see. A request's `Idempotency-Key`
header does for its one call what the key in `_meta` does; a call with neither is a call of its own.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from mcp import McpError, types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request

from agents.acting import Call, Declined, Outcome, Waiting
from agents.mcp.tools import KEY
from agents.tools.tool import Action, AnyTool, Caller, Reading, Subject
from agents.tools.toolbox import parameters
from app import logs
from app.api.calls import approval_view
from app.errors import UNKNOWN, body_of
from app.tools import Tools
from core.canonical import JSON
from core.errors import NotFound, WaysideError
from core.types import Principal

SUBJECT = "wayside/subject"
_SANE_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_INSTRUCTIONS = (
    "Tools of a company's help centre, orders, tickets and stock. Those without readOnlyHint change things; some of "
    "them wait for a person's consent, and then the result names the approval. Do not repeat a call to hurry it."
)


def session_manager(tools: Tools) -> StreamableHTTPSessionManager:
    """The server, answering each request by itself with JSON. Its `run()` has to be entered."""
    server: Server[Any, Any] = Server("wayside", version="1", instructions=_INSTRUCTIONS)
    surface = _Surface(tools, server)
    # The library's own decorators would keep one list of tools for all callers, and show a model any exception.
    server.request_handlers[types.ListToolsRequest] = surface.list_tools
    server.request_handlers[types.CallToolRequest] = surface.call_tool
    # The body has been read, within our own limit, before the library sees it.
    return StreamableHTTPSessionManager(server, json_response=True, stateless=True, max_request_body_size=2**31)


class _Surface:
    def __init__(self, tools: Tools, server: Server[Any, Any]) -> None:
        self._tools = tools
        self._server = server

    async def list_tools(self, _request: types.ListToolsRequest) -> types.ServerResult:
        caller = Caller(_principal(self._request()))
        usable = self._tools.toolbox.usable(caller)
        return types.ServerResult(types.ListToolsResult(tools=[_shown(tool, caller) for tool in usable]))

    async def call_tool(self, request: types.CallToolRequest) -> types.ServerResult:
        asked = self._request()
        name, meta = request.params.name, (request.params.meta.model_extra if request.params.meta else None) or {}
        key, subject = _key(meta, asked), _subject(meta)
        try:
            caller = Caller(_principal(asked), subject)
            result = await self._called(caller, name, request.params.arguments or {}, key)
        except NotFound as problem:
            if problem.param == "tool":
                raise McpError(types.ErrorData(code=types.INVALID_PARAMS, message=f"Unknown tool: {name}")) from None
            result = _refused(problem)
        except WaysideError as problem:
            result = _refused(problem)
        except Exception as problem:
            # The library would tell the client whatever an exception says.
            request_id = asked.scope["state"].get("request_id", "")
            logs.logger.error("unhandled", request_id=request_id, **logs.describe(problem))
            raise McpError(types.ErrorData(code=types.INTERNAL_ERROR, message=UNKNOWN)) from None
        return types.ServerResult(result)

    async def _called(self, caller: Caller, name: str, arguments: Mapping[str, Any], key: str) -> types.CallToolResult:
        tool = self._tools.toolbox.find(caller, name)
        if isinstance(tool, Reading):
            return _result(name, await tool.read(caller, tool.parse(arguments)))
        place = f"mcp/{caller.principal.key_id}/{key}"
        return _became(name, await self._tools.acting.perform(caller, Call(place, 0, 0, name, arguments)))

    def _request(self) -> Request:
        request = self._server.request_context.request
        assert isinstance(request, Request), "it came over HTTP"  # noqa: S101
        return request


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["state"]["credential"].principal
    return principal


def _key(meta: Mapping[str, Any], request: Request) -> str:
    key = meta.get(KEY, request.headers.get("idempotency-key"))
    if key is None:
        return uuid.uuid4().hex
    if not isinstance(key, str) or not _SANE_KEY.fullmatch(key):
        raise _malformed(f"_meta.{KEY} has 1 to 255 visible ASCII characters")
    return key


def _subject(meta: Mapping[str, Any]) -> Subject:
    given = meta.get(SUBJECT, {})
    known = {"customer_id", "order_id", "ticket_id"}
    sane = isinstance(given, Mapping) and given.keys() <= known
    if not sane or not all(isinstance(each, str) and re.fullmatch(r"[!-~]{1,64}", each) for each in given.values()):
        raise _malformed(f"_meta.{SUBJECT} is an object of {', '.join(sorted(known))}")
    return Subject(**given)


def _malformed(message: str) -> McpError:
    return McpError(types.ErrorData(code=types.INVALID_PARAMS, message=message))


def _shown(tool: AnyTool, caller: Caller) -> types.Tool:
    acts = isinstance(tool, Action)
    hints = types.ToolAnnotations(readOnlyHint=not acts, openWorldHint=tool.foreign)
    if isinstance(tool, Action):
        hints.destructiveHint, hints.idempotentHint = not tool.additive, tool.idempotent
    return types.Tool(
        name=tool.name, description=tool.description, inputSchema=parameters(tool, caller), annotations=hints
    )


def _became(name: str, outcome: Outcome) -> types.CallToolResult:
    if isinstance(outcome, Waiting):
        waits = outcome.approval
        said = (
            f"This waits for a person's consent ({waits.reason}). Nothing has happened yet; approval {waits.id} is "
            f"pending until {waits.expires.isoformat(timespec='minutes')}."
        )
        return _told(said, approval_view(waits))
    if isinstance(outcome, Declined):
        declined = outcome.approval
        said = f"{declined.id} is {declined.status.value}: {declined.answer()}"
        return _told(said, approval_view(declined), failed=True)
    return _result(name, outcome.result)


def _result(name: str, result: JSON) -> types.CallToolResult:
    said = json.dumps(result, ensure_ascii=False)
    return _told(said, {"object": "tool_result", "tool": name, "result": result})


def _refused(problem: WaysideError) -> types.CallToolResult:
    return _told(problem.message, body_of(problem)["error"], failed=True)


def _told(said: str, structured: Mapping[str, Any], *, failed: bool = False) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=said)], structuredContent=dict(structured), isError=failed
    )
