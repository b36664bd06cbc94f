"""One other MCP server: kept connected in the background, its tools on the shelf while it can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agents.mcp.answers import Said
from agents.mcp.tools import SEPARATOR, Described, foreign_tools
from agents.tools.tool import AnyTool
from core.canonical import JSON
from core.errors import SystemFault, SystemUnavailable, WaysideError
from core.mcp import EVERYBODY, McpServerSettings

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0


class Session(Protocol):
    """A connection that has been made.

    `stirred` is set when the tools have changed, and when the connection is `lost`.
    """

    stirred: asyncio.Event
    lost: bool

    async def describe(self) -> list[Described]:
        """Its tools. Raises `SystemFault`."""

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None) -> Said:
        """See `agents.mcp.tools.Server.call`."""


Open = Callable[[], AbstractAsyncContextManager[Session]]
Report = Callable[[str, str], None]
"""Told what happened to a server, and the particulars."""


class McpServer:
    """See `agents.tools.shelf.Supplier` and `agents.mcp.tools.Server`. `run` has to run beside it.

    `open_session` connects, and raises `SystemFault` when that cannot be done or the connection breaks.
    """

    def __init__(
        self,
        name: str,
        settings: McpServerSettings,
        open_session: Open,
        report: Report,
        *,
        pause: float = FIRST_PAUSE,
    ) -> None:
        self.name = name
        self._settings = settings
        self._open = open_session
        self._report = report
        self._pause = pause
        self._session: Session | None = None
        self._settled = asyncio.Event()
        self._problem = "it is being connected"
        self._described: list[Described] = []
        self._tools: Sequence[AnyTool] = ()

    @property
    def prefix(self) -> str:
        """See `Supplier.prefix`."""
        return self.name + SEPARATOR

    def tools(self, tenant: str) -> Sequence[AnyTool]:
        """See `Supplier.tools`."""
        return self._tools if self._belongs_to(tenant) else ()

    def absence(self, tenant: str) -> WaysideError | None:
        """See `Supplier.absence`."""
        return self._away() if self._session is None and self._belongs_to(tenant) else None

    async def call(self, tool: str, arguments: Mapping[str, JSON], key: str | None = None) -> Said:
        """See `Server.call`. Where the connection turns out to be lost before anything was sent, on the next one."""
        session = await self._connected()
        try:
            return await session.call(tool, arguments, key)
        except SystemUnavailable:
            if not session.lost:
                raise
            self._lose(session)
        return await (await self._connected()).call(tool, arguments, key)

    async def run(self) -> None:
        """Connect, again and again, until cancelled."""
        clock, pause, hasty = asyncio.get_running_loop().time, self._pause, False
        while True:
            since = None
            try:
                async with self._open() as session:
                    await self._refresh(session)
                    self._session, since = session, clock()
                    self._settled.set()
                    await self._watch(session)
                problem = "the connection was lost"
            except SystemFault as fault:
                problem = fault.message
            if (task := asyncio.current_task()) is not None and task.cancelling():
                # The client library lost it amid a connection's breaking.
                raise asyncio.CancelledError
            if problem != self._problem or since is not None:
                self._report("mcp server away", f"{self.name}: {problem}")
            self._problem = problem
            if self._session is not None:
                self._lose(self._session)
            lasted = since is not None and clock() - since >= self._pause
            if lasted or (since is not None and not hasty):
                # It was there a moment ago, and perhaps is again.
                pause, hasty = self._pause, not lasted
                continue
            self._settled.set()
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _watch(self, session: Session) -> None:
        """Keep the tools up to date until the connection is lost."""
        while not session.lost:
            try:
                async with asyncio.timeout(self._settings.refresh):
                    await session.stirred.wait()
            except TimeoutError:
                pass  # Servers need not tell of changes, nor of their end.
            session.stirred.clear()
            if not session.lost:
                await self._refresh(session)

    async def _refresh(self, session: Session) -> None:
        described = await session.describe()
        if described == self._described and self._session is session:
            return
        tools, left_out = foreign_tools(self.name, self._settings, self, described)
        self._described, self._tools = described, tools
        for line in left_out:
            self._report("mcp tool left out", line)
        self._report("mcp server here", f"{self.name}: {len(tools)} tools")

    async def _connected(self) -> Session:
        try:
            async with asyncio.timeout(self._settings.timeout):
                await self._settled.wait()
        except TimeoutError:
            raise SystemUnavailable(f"the MCP server {self.name} could not be connected in time") from None
        if self._session is None:
            raise self._away()
        return self._session

    def _lose(self, session: Session) -> None:
        if self._session is session:
            self._session, self._tools, self._described = None, (), []
            self._settled.clear()

    def _away(self) -> SystemUnavailable:
        return SystemUnavailable(f"the MCP server {self.name} is away: {self._problem}")

    def _belongs_to(self, tenant: str) -> bool:
        return self._settings.tenant in (EVERYBODY, tenant)
