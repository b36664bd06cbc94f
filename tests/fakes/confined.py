"""What the tests have done in a confined child process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import TooLarge


def echo(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Give all of it back."""
    return dict(request), content


def surroundings(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """What the child can see of where it runs."""
    return {"environment": sorted(os.environ), "isolated": sys.flags.isolated, "pid": os.getpid()}, b""


def refuse(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Refuse on purpose."""
    raise TooLarge("Too many words.", param="text", code="too_many_words")


def fail(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Fail with the content in the message."""
    raise ZeroDivisionError(content.decode())


def die(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """End as a decoder ends that was attacked."""
    os.abort()


def sleep(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Wait."""
    time.sleep(60)
    return {}, b""


def spin(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Compute without end."""
    while True:
        pass


def swell(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Give back so many bytes."""
    return {}, bytes(request["bytes"])


def write(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Write a file."""
    Path(request["path"]).write_bytes(content)
    return {}, b""
