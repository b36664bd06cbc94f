"""Parsing in a confined child process: the readers' words for what can happen to it."""

from __future__ import annotations

import dataclasses

from core.confined import Bounds, Confined, Stopped, Why
from core.errors import WaysideError
from retrieval.readers.text import ReadText, Section, Source

# A character takes at most four bytes of UTF-8, or six as a JSON escape; sections and their headings come on top.
_BYTES_PER_CHARACTER = 12
_SLACK = 2**20
_CHILD = Confined("retrieval.readers.child:answer")


async def read_hostile(source: Source) -> ReadText:
    """Parse the document in a child process, within `source.limits` (seconds, memory).

    Raises what the reader raises, and `UnreadableDocument` when the child was over a limit or died. When this
    coroutine is cancelled, the child is killed.
    """
    limits = source.limits
    request = {"filename": source.filename, "kind": source.kind, "charset": source.charset}
    bounds = Bounds(limits.seconds, limits.memory, limits.characters * _BYTES_PER_CHARACTER + _SLACK)
    try:
        reply, _ = await _CHILD.call(request | {"limits": dataclasses.asdict(limits)}, source.content, bounds)
    except Stopped as stopped:
        raise _refusal(stopped.why, source) from stopped
    sections = tuple(Section(tuple(s["headings"]), s["start"], s["body"], s["end"]) for s in reply["sections"])
    return ReadText(reply["title"], reply["text"], sections)


def _refusal(why: Why, source: Source) -> WaysideError:
    match why:
        case Why.TIME:
            return source.unreadable(f"could not be read within {source.limits.seconds:g} seconds")
        case Why.MEMORY:
            return source.unreadable(f"needs more than {source.limits.memory // 2**20:,} MB of memory to be read")
        case Why.ANSWER:
            return source.too_large("gives more text than a document of its limits can")
        case Why.CRASH:
            return source.unreadable(f"is damaged: its {source.kind} structure cannot be read")
