"""The process that owns a shard: reads requests from its standard input, answers on its standard output.

::

    python -m retrieval.index.host serve FOLDER SIZE NAME…       serves until its input ends
    python -m retrieval.index.host optimise FOLDER SIZE NAME…    optimises the shard and ends

A message is four bytes of length, big endian, and that much JSON. A request is `[method, {arguments}]`, where
the method is one of `Shard`'s; the answer is what the method returned. Requests are done one after the other,
so a search sees a document before or after a `publish`, never amid it. Whatever the engine raises ends the
process with a traceback: a shard in an unknown state is opened anew, from its log.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import IO, BinaryIO

import orjson

from retrieval.index.shard import Shard

METHODS = frozenset({"write", "publish", "remove", "search", "read", "count", "export", "flush", "info"})
# A process killed a moment ago may still be letting go of the shard.
_LOCK_SECONDS = 20.0


def serve(shard: Shard, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while len(head := requests.read(4)) == 4:
        method, arguments = orjson.loads(requests.read(int.from_bytes(head, "big")))
        if method not in METHODS:
            raise ValueError(f"no such request: {method}")
        body = orjson.dumps(getattr(shard, method)(**arguments))
        answers.write(len(body).to_bytes(4, "big") + body)
        answers.flush()


def _lock(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "host.lock").open("wb")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return file


def _end_with_owner() -> None:
    """Have the kernel end this process (SIGIO) when the owner's end of our input closes.

    The engine holds Python's lock for the minutes of an optimisation, so Python could not notice by itself.
    """
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([0], [], [], 0)[0]:
        raise SystemExit("the owner is gone")


def main(command: str, folder: str, size: str, *names: str) -> None:
    """Open the shard and do as told."""
    # An interrupt at the terminal is for the owner, who then ends our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if command == "optimise":
        os.nice(10)
        _end_with_owner()
    with _lock(Path(folder)):
        shard = Shard(Path(folder), names, int(size))
        if command == "optimise":
            shard.optimise()
        else:
            sys.stdout.buffer.write((4).to_bytes(4, "big") + b"null")
            sys.stdout.buffer.flush()
            serve(shard, sys.stdin.buffer, sys.stdout.buffer)
        shard.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
