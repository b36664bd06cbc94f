"""/api/tools: the agents' tools by name, for a person. Policy, approval and ledger hold as they do for agents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from agents.tools.arguments import Arguments, Id
from agents.tools.tool import Action, Caller, Subject
from agents.tools.toolbox import parameters
from app.api.calls import ApprovalView, perform
from app.api.json import Json, StrictJsonRoute, listing
from app.auth import Anyone
from app.errors import responses
from app.tools import Tools
from core.canonical import JSON

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]


class ToolView(BaseModel):
    """A tool. `parameters` is the JSON schema of its arguments; one that `acts` changes the world."""

    object: str = "tool"
    name: str
    description: str
    parameters: dict[str, Any]
    acts: bool


class ToolList(BaseModel):
    """Every tool that the caller may use."""

    object: str
    data: list[ToolView]
    has_more: bool


class About(Arguments):
    """Whom and what the call is about. With a customer, only that customer's orders and tickets are found."""

    customer_id: Id | None = None
    order_id: Id | None = None
    ticket_id: Id | None = None


class NewCall(BaseModel):
    """A call of a tool."""

    model_config = ConfigDict(extra="forbid")

    arguments: dict[str, Any] = Field(default_factory=dict, description="as the tool's `parameters` say")
    subject: About | None = None


class ToolResult(BaseModel):
    """What the tool said or did."""

    object: str = "tool_result"
    tool: str
    result: Any


def routes(tools: Tools) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/api/tools", tags=["tools"], route_class=StrictJsonRoute)
    accepted: dict[int | str, dict[str, Any]] = {202: {"model": ApprovalView}}

    @router.get("", response_model=ToolList, responses=responses())
    async def list_tools(caller: Anyone) -> Response:
        """List the tools that the caller may use, with the consent of others where the policy asks for it."""
        who = Caller(caller)
        shown = [
            {
                "object": "tool",
                "name": tool.name,
                "description": tool.description,
                "parameters": parameters(tool, who),
                "acts": isinstance(tool, Action),
            }
            for tool in tools.toolbox.usable(who)
        ]
        return listing(shown, has_more=False)

    @router.post("/{name}", response_model=ToolResult, responses=accepted | responses(403, 404, 409, 422, 502, 504))
    async def call_tool(request: Request, name: Name, body: NewCall, caller: Anyone) -> Response:
        """Call a tool. One that acts takes effect once, or answers 202 with the approval that it waits for."""
        subject = Subject(**body.subject.model_dump()) if body.subject is not None else None

        def view(result: Any) -> dict[str, JSON]:
            return {"object": "tool_result", "tool": name, "result": result}

        who = Caller(caller, subject)
        if isinstance(tools.toolbox.find(who, name), Action):
            return await perform(tools.acting, request, caller, name, body.arguments, view, subject=subject)
        return Json(view(await tools.toolbox.read(who, name, body.arguments)))

    return router
