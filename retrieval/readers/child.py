"""The child process in which one hostile document is parsed: limits first, then the reader, then one line of JSON.

Read from stdin: a line of JSON (name, format, charset, limits), then the document. Written to stdout: the text, or
the error that the reader raised on purpose, or the name of an exception that nobody expected.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import os
import resource
import sys
from pathlib import Path
from types import TracebackType

from core.errors import InvalidInput
from retrieval.readers.parsing import parse
from retrieval.readers.text import Kind, ReadLimits, Source


def main() -> None:
    """Answer one request and end."""
    sys.excepthook = _crash
    gc.disable()  # it lives for one document; looking for cycles took 40 % of its time
    request = json.loads(sys.stdin.buffer.readline())
    limits = ReadLimits(**request["limits"])
    _confine(limits)
    content = sys.stdin.buffer.read()
    source = Source(content, request["filename"], Kind(request["kind"]), request["charset"], limits)
    try:
        _write(dataclasses.asdict(parse(source)))
    except InvalidInput as error:
        _write({"error": error.code, "message": error.message})


def _confine(limits: ReadLimits) -> None:
    """Bound CPU seconds and address space; allow neither written files nor core dumps; yield to other processes."""
    seconds = math.ceil(limits.seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # which refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    os.nice(5)


def _crash(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Name the exception and the line that raised it, never its message: that may hold the document's words."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    _write({"crash": kind.__name__, "place": place})


def _write(answer: object) -> None:
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode())
    sys.stdout.buffer.flush()
