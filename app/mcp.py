"""Connects the other MCP servers of the settings, in the background: a start waits for none of them."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from agents.mcp.server import McpServer, Session
from app import logs
from core.mcp import McpServerSettings, McpSettings


def open_servers(settings: McpSettings, stack: AsyncExitStack) -> Sequence[McpServer]:
    """The servers, each being connected and kept so; the stack lets go of them."""
    servers = [McpServer(name, each, partial(_open, name, each), _report) for name, each in settings.servers.items()]
    if servers:
        running = {asyncio.create_task(server.run()) for server in servers}

        async def stop() -> None:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

        stack.push_async_callback(stop)
    return servers


@asynccontextmanager
async def _open(name: str, settings: McpServerSettings) -> AsyncIterator[Session]:
    # Only who has a server waits for the client to be imported, and nobody else is held up by it.
    adapter = await asyncio.to_thread(importlib.import_module, "agents.mcp.session")
    async with adapter.open_session(name, settings) as session:
        yield session


def _report(event: str, particulars: str) -> None:
    logs.logger.info(event, particulars=particulars)
