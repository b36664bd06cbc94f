"""The child process of `core.confined`: import the function, take the bounds, answer one request, and end.

Read from stdin: a line of JSON (bounds, request), then the content. Written to stdout: a line of JSON with the answer,
the error that the function raised on purpose, or the name of an exception that nobody expected; then the answer as
bytes.
"""

from __future__ import annotations

import gc
import json
import math
import os
import pkgutil
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from core.errors import InvalidInput


def main() -> None:
    """Answer one request and end. `sys.argv` holds the root of our packages and the function's name."""
    sys.excepthook = _crash
    gc.disable()  # it lives for one request; looking for cycles took 40 % of its time
    os.nice(5)
    function = pkgutil.resolve_name(sys.argv[2])
    line = sys.stdin.buffer.readline()
    if not line:
        return  # a spare that nobody needed
    header = json.loads(line)
    _confine(**header["bounds"])
    content = sys.stdin.buffer.read()
    try:
        answer, made = function(header["request"], content)
    except InvalidInput as error:
        refused = {"message": error.message, "param": error.param, "code": error.code}
        _write({"refused": type(error).__name__, **refused})
    else:
        _write({"answer": answer}, made)


def _confine(seconds: float, memory: int, answer: int) -> None:
    """Bound CPU seconds and address space; allow neither written files nor core dumps. The parent counts the answer."""
    whole = math.ceil(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # which refuses this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _crash(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Name the exception and the line that raised it, never its message: that may hold the content's words."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    _write({"crash": kind.__name__, "place": place})


def _write(answer: Mapping[str, Any], made: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
