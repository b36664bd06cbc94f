"""The company at work: the whole gateway around one workspace, reached over HTTP as apps and staff reach it.

The only file that knows the paths and bodies of the API.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from app.gateway import create_app
from app.wiring import Wayside, open_wayside
from app.workspace import admin_key
from core.settings import Settings
from evals.demo.tasks import Decides, Known, Who

_SECONDS = 120.0
# A thread may be at work on what was decided a moment ago.
_TRIES = 100
_PAUSE_SECONDS = 0.1


class Person:
    """Somebody with a key, on a thread of their own."""

    def __init__(self, http: httpx2.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"authorization": f"Bearer {key}"}
        self._thread = uuid.uuid4().hex

    async def says(self, text: str) -> str:
        """Say it, and return the answer. Raises `HTTPStatusError` when there is none."""
        body = {
            "model": "wayside",
            "metadata": {"thread_id": self._thread},
            "messages": [{"role": "user", "content": text}],
        }
        for _ in range(_TRIES):
            response = await self._http.post("/v1/chat/completions", json=body, headers=self._headers)
            if response.status_code != httpx2.codes.CONFLICT:
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        return str(response.raise_for_status().json()["choices"][0]["message"]["content"])

    async def waiting(self) -> list[str]:
        """The approvals that wait for somebody's decision, as a key of the staff sees them."""
        response = await self._http.get("/api/approvals?status=pending", headers=self._headers)
        return [str(each["id"]) for each in response.raise_for_status().json()["data"]]

    async def decides(self, approval: str, decision: Decides, known: Known) -> str:
        """Decide, and return what came of it: the approval's status, or why the decision was refused."""
        body: dict[str, Any] = {"decision": decision.decide, "text": known.fill_known(decision.text)}
        if decision.arguments is not None:
            body["arguments"] = {name: _argument(name, known.fill(text)) for name, text in decision.arguments.items()}
        response = await self._http.post(f"/api/approvals/{approval}/decision", json=body, headers=self._headers)
        told: Mapping[str, Any] = response.json()
        return str(told["status"]) if response.is_success else f"refused: {told['message']}"


def _argument(name: str, text: str) -> str | int:
    return int(text) if name.endswith("quantity") else text


class Office:
    """A gateway that is open, and its records."""

    def __init__(self, wayside: Wayside, http: httpx2.AsyncClient) -> None:
        self.database = wayside.database
        self._http = http
        self._admin = {"authorization": f"Bearer {admin_key(wayside.settings.workspace)}"}

    async def hire(self, who: Who) -> Person:
        """Make a key for such a person."""
        body = {"name": who.role, "role": who.role, "customer_id": who.customer_id}
        response = await self._http.post("/api/keys", json=body, headers=self._admin)
        return Person(self._http, str(response.raise_for_status().json()["key"]))


def demo_settings(workspace: Path) -> Settings:
    """The settings as they are, on this workspace with the demo company in it.

    Stores outside the workspace hold somebody's real records: a suite never writes there.
    """
    return Settings(workspace=workspace, demo=True, database_url=None, qdrant_url=None, redis_url=None)


async def furnish(workspace: Path) -> None:
    """Load the demo company into an empty workspace."""
    async with open_wayside(demo_settings(workspace)):
        pass


@asynccontextmanager
async def opened(workspace: Path) -> AsyncIterator[Office]:
    """Serve the workspace in process."""
    async with open_wayside(demo_settings(workspace)) as wayside:
        app = create_app(wayside)
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://wayside", timeout=_SECONDS, trust_env=False
        )
        async with app.router.lifespan_context(app), client as http:
            yield Office(wayside, http)
