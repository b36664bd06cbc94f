"""Parsing in a child process that may take only so much time and memory, and is killed when it takes more."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, TooLarge, UnreadableDocument, UnsupportedMedia
from retrieval.readers.text import ReadText, Section, Source

_log = logging.getLogger(__name__)
_ROOT = str(Path(__file__).parents[2])
# Isolated (-I): neither the environment nor the working directory can change what the child imports.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from retrieval.readers.child import main; main()"
# The child's environment holds nothing of ours, no keys above all.
_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
_ERRORS: dict[str, type[InvalidInput]] = {e.code: e for e in (UnreadableDocument, UnsupportedMedia, TooLarge)}
# A character takes at most four bytes of UTF-8, or six as a JSON escape; sections and their headings come on top.
_BYTES_PER_CHARACTER = 12
_SLACK = 2**20


async def read_hostile(source: Source) -> ReadText:
    """Parse the document in a child process, within `source.limits` (seconds, memory).

    Raises what the reader raises, and `UnreadableDocument` when the child was over a limit or died. When this
    coroutine is cancelled, the child is killed.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _START, _ROOT), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_ENVIRONMENT
    )
    try:
        async with asyncio.timeout(source.limits.seconds):
            answer = await _converse(process, source)
            await process.wait()
    except TimeoutError:
        raise source.unreadable(f"could not be read within {source.limits.seconds:g} seconds") from None
    finally:
        await _end(process)
    return _understand(answer, process.returncode, source)


async def _converse(process: Process, source: Source) -> bytes:
    """Send the request and take the answer. The child writes only after it has read everything."""
    to_child, from_child = process.stdin, process.stdout
    assert to_child is not None and from_child is not None, "both were asked for as pipes"  # noqa: S101
    request = {"filename": source.filename, "kind": source.kind, "charset": source.charset}
    header = json.dumps(request | {"limits": dataclasses.asdict(source.limits)}).encode() + b"\n"
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; its exit status says why
        to_child.write(header)
        to_child.write(source.content)
        await to_child.drain()
        to_child.close()
        await to_child.wait_closed()
    most = source.limits.characters * _BYTES_PER_CHARACTER + _SLACK
    answer = bytearray()
    while chunk := await from_child.read(2**18):
        answer += chunk
        if len(answer) > most:
            raise source.too_large("gives more text than a document of its limits can")
    return bytes(answer)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.stdin is not None:
        process.stdin.close()
    while process.stdout is not None and await process.stdout.read(2**18):
        pass  # until the pipe is empty, its end is not seen and it stays open
    await process.wait()


def _understand(answer: bytes, status: int | None, source: Source) -> ReadText:
    if not answer or status != 0:
        reply: dict[str, Any] = json.loads(answer) if answer and status == 1 else {"crash": f"exit status {status}"}
        _log.warning("document reader died: %s %s", reply.get("crash"), reply.get("place", ""))
        if reply.get("crash") == "MemoryError":
            raise source.unreadable(f"needs more than {source.limits.memory // 2**20:,} MB of memory to be read")
        raise source.unreadable(f"is damaged: its {source.kind} structure cannot be read")
    reply = json.loads(answer)
    if "error" in reply:
        raise _ERRORS[reply["error"]](reply["message"], param="file")
    sections = tuple(Section(tuple(s["headings"]), s["start"], s["body"], s["end"]) for s in reply["sections"])
    return ReadText(reply["title"], reply["text"], sections)
