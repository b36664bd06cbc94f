"""Work on hostile bytes in a child process that may take only so much time and memory, and is killed beyond it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core import errors
from core.errors import InvalidInput

_log = logging.getLogger(__name__)
_ROOT = str(Path(__file__).parents[1])
# Isolated (-I): neither the environment nor the working directory can change what the child imports.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from core.child import main; main()"
# The child's environment holds nothing of ours, no keys above all.
_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
_REFUSALS: dict[str, type[InvalidInput]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, InvalidInput)
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one call may cost: wall-clock (and processor) seconds, bytes of memory, bytes of the answer."""

    seconds: float
    memory: int
    answer: int


class Why(StrEnum):
    """What ended a child before it had answered."""

    TIME = "time"
    MEMORY = "memory"
    ANSWER = "answer"
    CRASH = "crash"


class Stopped(Exception):
    """The child was over a bound, or died. The caller says it in the words of what it was reading."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"the child process was stopped: {why}")
        self.why = why


class Confined:
    """Calls one function of ours, each time in a child process of its own.

    `function` is `module:name` of a `Callable[[Mapping[str, Any], bytes], tuple[Mapping[str, Any], bytes]]`: a request
    of JSON values and some content in, an answer of the same shape out. With `spare`, one child that has done its
    imports waits for the next call, so that only the first call pays for the start; it is ended by `close`.
    """

    def __init__(self, function: str, *, spare: bool = False) -> None:
        self._function = function
        self._keeps_spare = spare
        self._spare: asyncio.Task[Process] | None = None
        self._closed = False

    async def call(self, request: Mapping[str, Any], content: bytes, bounds: Bounds) -> tuple[dict[str, Any], bytes]:
        """The function's answer.

        Raises the `InvalidInput` that the function raised, and `Stopped` when the child was over a bound or died.
        When this coroutine is cancelled, the child is killed.
        """
        process = await self._ready()
        try:
            async with asyncio.timeout(bounds.seconds):
                header = json.dumps({"bounds": dataclasses.asdict(bounds), "request": dict(request)}).encode() + b"\n"
                answer = await _converse(process, header, content, bounds.answer)
                await process.wait()
        except TimeoutError:
            raise Stopped(Why.TIME) from None
        finally:
            await end(process)
            # Only now, so that the next child's start takes nothing from this one's work.
            if self._keeps_spare and self._spare is None and not self._closed:
                self._spare = asyncio.create_task(self._start())
        return self._understand(answer, process.returncode)

    async def close(self) -> None:
        """End the child that waits. Calls that are at work go on to their end."""
        self._closed = True
        waiting, self._spare = self._spare, None
        if waiting is not None:
            await end(await waiting)

    async def _ready(self) -> Process:
        waiting, self._spare = self._spare, None
        if waiting is not None:
            try:
                process = await asyncio.shield(waiting)
            except asyncio.CancelledError:
                if self._spare is None and not self._closed:
                    self._spare = waiting
                else:
                    await end(await waiting)
                raise
            if process.returncode is None:
                return process
            await end(process)
        return await self._start()

    async def _start(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _START, _ROOT, self._function),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=_ENVIRONMENT,
        )

    def _understand(self, answer: bytearray, status: int | None) -> tuple[dict[str, Any], bytes]:
        line, _, _ = answer.partition(b"\n")
        if not line or status != 0:
            reply: dict[str, Any] = json.loads(line) if line and status == 1 else {"crash": f"exit status {status}"}
            _log.warning("%s died: %s %s", self._function, reply.get("crash"), reply.get("place", ""))
            raise Stopped(Why.MEMORY if reply.get("crash") == "MemoryError" else Why.CRASH)
        reply = json.loads(line)
        if refused := reply.get("refused"):
            raise _REFUSALS[refused](reply["message"], param=reply["param"], code=reply["code"])
        with memoryview(answer) as whole:
            return reply["answer"], bytes(whole[len(line) + 1 :])


async def _converse(process: Process, header: bytes, content: bytes, most: int) -> bytearray:
    """Send the request and take the answer. The child writes only after it has read everything."""
    to_child, from_child = process.stdin, process.stdout
    assert to_child is not None and from_child is not None, "both were asked for as pipes"  # noqa: S101
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; its exit status says why
        to_child.write(header)
        to_child.write(content)
        await to_child.drain()
        to_child.close()
        await to_child.wait_closed()
    answer = bytearray()
    while chunk := await from_child.read(2**18):
        answer += chunk
        if len(answer) > most:
            raise Stopped(Why.ANSWER)
    return answer


def kill(process: Process) -> None:
    """Kill the process where it runs; whoever reads from it sees its end."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def end(process: Process) -> None:
    """Kill the process where it runs, and take what is left of it. Nobody else may be reading from it."""
    kill(process)
    if process.stdin is not None:
        process.stdin.close()
    while process.stdout is not None and await process.stdout.read(2**18):
        pass  # until the pipe is empty, its end is not seen and it stays open
    await process.wait()
