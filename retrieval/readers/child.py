"""What the confined child process does with one hostile document: pick its reader, and read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from retrieval.readers.parsing import parse
from retrieval.readers.text import Kind, ReadLimits, Source


def answer(request: Mapping[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The document's title, text and sections as JSON; nothing besides. Raises what `parse` raises."""
    limits = ReadLimits(**request["limits"])
    source = Source(content, request["filename"], Kind(request["kind"]), request["charset"], limits)
    return dataclasses.asdict(parse(source)), b""
