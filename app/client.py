"""How the command line reaches the API: over HTTP where a server runs, else in this very process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2

from app.workspace import admin_key, server_url
from core.errors import ApiError
from core.settings import Settings

# Longer than a rate limit's minute is a quota's day: an error, not a wait. In seconds.
LONGEST_WAIT = 60.0


class ApiClient:
    """The API's own words, with its errors as exceptions."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and return the decoded JSON; waits when the API says when to come back.

        Raises `ApiError` with the API's message.
        """
        while True:
            response = await self.http.request(method, path, **options)
            wait = float(response.headers.get("retry-after", "inf"))
            if response.status_code != httpx2.codes.TOO_MANY_REQUESTS or wait > LONGEST_WAIT:
                break
            await asyncio.sleep(wait)
        if response.is_error:
            body = response.json()
            raise ApiError(body["message"], param=body.get("param"), code=body.get("code"))
        return response.json() if response.content else None


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[ApiClient]:
    """A client for the workspace's API, as its admin.

    Without a server the workspace is opened here and the same application is called in process. Raises
    `WorkspaceInUse` when another process owns the workspace but no server answers.
    """
    async with AsyncExitStack() as stack:
        url = server_url(settings.workspace)
        transport: httpx2.AsyncBaseTransport
        if url is None:
            # The whole gateway is imported only where there is no server to ask.
            from app.gateway import create_app
            from app.wiring import open_wayside

            wayside = await stack.enter_async_context(open_wayside(settings))
            app = create_app(wayside)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport, url = httpx2.ASGITransport(app), "http://wayside.invalid"
        else:
            transport = httpx2.AsyncHTTPTransport()
        http = httpx2.AsyncClient(
            transport=transport,
            base_url=url,
            headers={"authorization": f"Bearer {admin_key(settings.workspace)}"},
            timeout=httpx2.Timeout(600, connect=5),
        )
        yield ApiClient(await stack.enter_async_context(http))
