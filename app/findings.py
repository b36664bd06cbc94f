"""Where in a JSON body a finding of pydantic's lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def place(location: Sequence[int | str], content: Any) -> str:
    """The place in the body that pydantic means, without the names of union members that it puts in between."""
    steps: list[str] = []
    for step in location[:-1]:
        if isinstance(content, list):
            content = dict(enumerate(content))
        if isinstance(content, Mapping) and step in content:
            content = content[step]
            steps.append(str(step))
    if location and (isinstance(content, Mapping) or isinstance(location[-1], int)):
        steps.append(str(location[-1]))
    return ".".join(steps)
