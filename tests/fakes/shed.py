"""The foreign server of `mcp_server.py` as a test holds it: started, killed, started again, on either transport."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from agents.mcp.server import McpServer
from agents.mcp.session import open_session
from core.mcp import McpServerSettings

SCRIPT = str(Path(__file__).with_name("mcp_server.py"))


@dataclass
class ShedProcess:
    """Where the shed's server is, or is to be. Over stdio it is our client that starts it."""

    transport: str
    path: Path
    token: str | None = None
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def settings(self, **more: Any) -> McpServerSettings:
        settings: dict[str, Any] = {"tenant": "harbor", "timeout": 20.0, **more}
        if self.transport == "stdio":
            return McpServerSettings(command=sys.executable, args=(SCRIPT, "stdio", str(self.path)), **settings)
        return McpServerSettings(url=f"http://127.0.0.1:{self.port}/mcp/", **settings)

    def start(self) -> None:
        if self.transport == "stdio":
            return
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        more = [self.token] if self.token else []
        self.process = subprocess.Popen([sys.executable, SCRIPT, "http", str(self.path), str(self.port), *more])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError("the shed's server did not come up")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def lines(self) -> list[str]:
        """What took effect."""
        return self.path.read_text().splitlines() if self.path.exists() else []


@dataclass
class Told:
    """What was reported."""

    events: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, event: str, particulars: str) -> None:
        self.events.append((event, particulars))


@asynccontextmanager
async def connected(settings: McpServerSettings, told: Told | None = None) -> AsyncIterator[McpServer]:
    """Our side of it, running; it may not be connected yet."""
    server = McpServer("shed", settings, partial(open_session, "shed", settings), told or Told(), pause=0.1)
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled(), running.exception()


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so, which it is sooner or later."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)
