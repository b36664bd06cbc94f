"""/assistants: the graphs that the server is configured with. They are looked at over the API, not made or changed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.errors import PydanticUserError
from starlette.responses import Response

from app.api.json import Json, StrictJsonRoute
from app.api.langgraph.refusing import Refusal, refuse
from app.api.langgraph.run_request import Metadata
from app.api.langgraph.views import selected
from app.auth import Anyone
from app.errors import responses
from app.runs.assistants import Assistants, ConfiguredAssistant
from app.runs.threads import contains
from core.database import now

AssistantPath = Annotated[str, Path(max_length=200)]
AssistantField = Literal[
    "assistant_id",
    "graph_id",
    "name",
    "description",
    "config",
    "context",
    "created_at",
    "updated_at",
    "metadata",
    "version",
]
_ONLY_CONFIGURED = "Assistants are the server's own: none is made, changed or deleted over the API."


class AssistantView(BaseModel):
    """An assistant. It is its graph, so the ids are the same."""

    assistant_id: str | None = None
    graph_id: str | None = None
    name: str | None = None
    description: str | None = None
    config: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Schemas(BaseModel):
    """The JSON schemas of a graph; null where none can be told."""

    graph_id: str
    input_schema: dict[str, Any] | None
    output_schema: dict[str, Any] | None
    state_schema: dict[str, Any] | None
    config_schema: dict[str, Any] | None
    context_schema: dict[str, Any] | None


class AssistantFilter(BaseModel):
    """Which assistants are counted."""

    model_config = ConfigDict(extra="forbid")

    metadata: Metadata | None = None
    graph_id: str | None = None
    name: str | None = None


class AssistantSearch(AssistantFilter):
    """Which assistants are looked for, and in which order."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    sort_by: Literal["assistant_id", "graph_id", "name", "created_at", "updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[AssistantField] | None = None


class VersionSearch(BaseModel):
    """Which versions of an assistant; there is one."""

    model_config = ConfigDict(extra="forbid")

    metadata: Metadata | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0


def routes(assistants: Assistants) -> APIRouter:
    """The router of this surface."""
    router = APIRouter(prefix="/assistants", tags=["assistants"], route_class=StrictJsonRoute)
    started = now()

    def view(assistant: ConfiguredAssistant) -> dict[str, Any]:
        return {
            "assistant_id": assistant.id,
            "graph_id": assistant.id,
            "name": assistant.id,
            "description": assistant.description,
            "config": {},
            "context": {},
            "metadata": {"created_by": "system"},
            "version": 1,
            "created_at": started,
            "updated_at": started,
        }

    def found(wanted: AssistantFilter) -> list[dict[str, Any]]:
        return [
            each
            for each in map(view, assistants.all.values())
            if (wanted.graph_id is None or each["graph_id"] == wanted.graph_id)
            and (wanted.name is None or wanted.name.lower() in each["name"].lower())
            and contains(each["metadata"], wanted.metadata or {})
        ]

    @router.post("/search", response_model=list[AssistantView], responses=responses(422))
    async def search_assistants(body: AssistantSearch, caller: Anyone) -> Response:
        """List the assistants."""
        each = sorted(found(body), key=lambda one: one[body.sort_by], reverse=body.sort_order == "desc")
        page = each[body.offset : body.offset + body.limit]
        return Json([selected(one, body.select) for one in page])

    @router.post("/count", response_model=int, responses=responses(422))
    async def count_assistants(body: AssistantFilter, caller: Anyone) -> Response:
        """Count the assistants."""
        return Json(len(found(body)))

    @router.get("/{assistant_id}", response_model=AssistantView, responses=responses(404))
    async def get_assistant(assistant_id: AssistantPath, caller: Anyone) -> Response:
        """Show an assistant."""
        return Json(view(assistants.get(assistant_id)))

    @router.get("/{assistant_id}/schemas", response_model=Schemas, responses=responses(404))
    async def get_assistant_schemas(assistant_id: AssistantPath, caller: Anyone) -> Response:
        """Show what goes in and what comes out."""
        return Json(_schemas(assistants.get(assistant_id)))

    @router.get("/{assistant_id}/graph", response_model=dict[str, list[dict[str, Any]]], responses=responses(404))
    async def get_assistant_graph(
        assistant_id: AssistantPath,
        caller: Anyone,
        xray: Annotated[str, Query(pattern=r"^(true|false|True|False|[0-9]{1,3})$")] = "false",
    ) -> Response:
        """Show the graph's nodes and edges; with `xray` those of its subgraphs, to that depth."""
        depth: int | bool = int(xray) if xray.isdecimal() else xray.lower() == "true"
        drawn = await assistants.get(assistant_id).graph.aget_graph(xray=depth)
        return Json(drawn.to_json())

    @router.get("/{assistant_id}/subgraphs", response_model=dict[str, Schemas], responses=responses(404))
    async def get_assistant_subgraphs(assistant_id: AssistantPath, caller: Anyone, recurse: bool = False) -> Response:
        """Show the schemas of the graphs within the graph."""
        return Json(await _subgraphs(assistants.get(assistant_id), None, recurse=recurse))

    @router.get("/{assistant_id}/subgraphs/{namespace}", response_model=dict[str, Schemas], responses=responses(404))
    async def get_assistant_subgraph(
        assistant_id: AssistantPath,
        namespace: Annotated[str, Path(max_length=200)],
        caller: Anyone,
        recurse: bool = False,
    ) -> Response:
        """Show the schemas of the graphs within the graph, under a namespace."""
        return Json(await _subgraphs(assistants.get(assistant_id), namespace, recurse=recurse))

    @router.post("/{assistant_id}/versions", response_model=list[AssistantView], responses=responses(404, 422))
    async def list_assistant_versions(assistant_id: AssistantPath, body: VersionSearch, caller: Anyone) -> Response:
        """List the one version of an assistant."""
        only = [view(assistants.get(assistant_id))]
        return Json([each for each in only if contains(each["metadata"], body.metadata or {})][body.offset :])

    refuse(
        router,
        Refusal("POST", "", "create_assistant", _ONLY_CONFIGURED),
        Refusal("PATCH", "/{assistant_id}", "update_assistant", _ONLY_CONFIGURED),
        Refusal("DELETE", "/{assistant_id}", "delete_assistant", _ONLY_CONFIGURED),
        Refusal("POST", "/{assistant_id}/latest", "set_latest_assistant", _ONLY_CONFIGURED),
    )
    return router


def _schemas(assistant: ConfiguredAssistant) -> dict[str, Any]:
    graph = assistant.graph
    return {
        "graph_id": assistant.id,
        "input_schema": assistant.input_schema or _schema(graph.get_input_jsonschema),
        "output_schema": _shown(assistant, _schema(graph.get_output_jsonschema)),
        "state_schema": _shown(assistant, _schema(graph.get_output_jsonschema)),
        "config_schema": None,
        "context_schema": None,
    }


async def _subgraphs(assistant: ConfiguredAssistant, namespace: str | None, *, recurse: bool) -> dict[str, Any]:
    found = {}
    async for name, graph in assistant.graph.aget_subgraphs(namespace=namespace, recurse=recurse):
        found[name] = {
            "graph_id": assistant.id,
            "input_schema": _schema(graph.get_input_jsonschema),
            "output_schema": _schema(graph.get_output_jsonschema),
            "state_schema": _schema(graph.get_output_jsonschema),
            "config_schema": None,
            "context_schema": None,
        }
    return found


def _schema(make: Any) -> dict[str, Any] | None:
    try:
        made: dict[str, Any] = make()
    except PydanticUserError:
        return None
    return made


def _shown(assistant: ConfiguredAssistant, schema: dict[str, Any] | None) -> dict[str, Any] | None:
    """The schema without the channels that stay inside."""
    if schema is None or assistant.shown is None:
        return schema
    return {**schema, "properties": assistant.visible(schema.get("properties", {}))}
