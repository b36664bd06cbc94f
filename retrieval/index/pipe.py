"""The owner's end of `retrieval.index.host`: starts the process, sends requests, awaits answers."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import orjson

from retrieval.index.layout import Layout

_ROOT = Path(__file__).parents[2]


class HostFailed(RuntimeError):
    """The host process ended; its traceback is on standard error."""


async def start(command: str, folder: Path, layout: Layout) -> Process:
    """Start a host. It ends by itself when our end of its input closes, also because we were killed."""
    arguments = ("-m", "retrieval.index.host", command, str(folder), str(layout.size), *layout.names)
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE, cwd=_ROOT)
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await end(await starting)
        raise


async def end(process: Process) -> None:
    """Kill the process, and return when it is gone."""
    if process.returncode is None:
        process.kill()
    await process.communicate()


class Host:
    """One host and the exchange with it: one request at a time, answered in order."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, folder: Path, layout: Layout) -> Host:
        """Start a host on the folder and wait until the shard is open."""
        host = cls(await start("serve", folder, layout))
        try:
            await host._answer()
        except BaseException:
            await end(host._process)
            raise
        return host

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    async def call(self, method: str, **arguments: Any) -> Any:
        """Return what `Shard.method(**arguments)` returns. Raises `HostFailed` when the process ends instead."""
        # Once sent, the answer must be taken even if the caller has gone, or the next one would get it.
        return await asyncio.shield(self._exchange(method, arguments))

    async def close(self) -> None:
        """Let the host flush, close its shard and end."""
        async with self._turn:
            if self._process.stdin is not None:
                self._process.stdin.close()
            await self._process.wait()

    async def _exchange(self, method: str, arguments: dict[str, Any]) -> Any:
        body = orjson.dumps([method, arguments], option=orjson.OPT_SERIALIZE_NUMPY)
        async with self._turn:
            if self._process.stdin is None or self._process.stdin.is_closing():
                raise HostFailed("the index is closed")
            self._process.stdin.write(len(body).to_bytes(4, "big") + body)
            return await self._answer()

    async def _answer(self) -> Any:
        if self._process.stdout is None:
            raise HostFailed("the index process has no output")
        try:
            head = await self._process.stdout.readexactly(4)
            return orjson.loads(await self._process.stdout.readexactly(int.from_bytes(head, "big")))
        except asyncio.IncompleteReadError as error:
            status = await self._process.wait()
            raise HostFailed(f"the index process ended with status {status}") from error
