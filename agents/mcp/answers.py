"""What another server says, as JSON that can be stored, shown to a model and counted: a stranger's words all the same.

A result always has `text`. It has `structured` where the server gave an object, `attachments` (kind, type and size;
never the bytes) for what is no text, and `truncated` where it was longer than what is passed on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import JSON

_DEEPEST = 64
_MOST_ATTACHMENTS = 100
_LONGEST_REFUSAL = 300
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Said:
    """A server's answer to a call. When it `failed`, the tool itself said so, and `content["text"]` says why."""

    content: Mapping[str, JSON]
    failed: bool = False

    @property
    def refusal(self) -> str:
        """Why it failed, in a line of the server's own words."""
        return " ".join(str(self.content["text"]).split())[:_LONGEST_REFUSAL] or "it did not say why"


def understood(result: Mapping[str, Any], longest: int) -> Said:
    """Read a `CallToolResult` (as JSON) of which at most `longest` characters are passed on."""
    texts, attachments = [], []
    for block in result.get("content", ()):
        if block.get("type") == "text":
            texts.append(str(block.get("text", "")))
        elif block.get("type") == "resource" and "text" in block.get("resource", {}):
            texts.append(str(block["resource"]["text"]))
        else:
            attachments.append(_attachment(block))
    text: str = storable("\n".join(texts))
    content: dict[str, JSON] = {"text": text[:longest]}
    truncated = len(text) > longest or len(attachments) > _MOST_ATTACHMENTS
    if attachments:
        content["attachments"] = attachments[:_MOST_ATTACHMENTS]
    if (structured := result.get("structuredContent")) is not None:
        kept = storable(structured)
        if len(json.dumps(kept, ensure_ascii=False)) <= longest:
            content["structured"] = kept
        else:
            truncated = True
    if truncated:
        content["truncated"] = True
    return Said(content, bool(result.get("isError")))


def storable(value: Any, depth: int = 0) -> Any:
    """The value with nothing in it that our stores cannot hold or that two readers would read differently."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, str):
        return "".join("\ufffd" if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(each, depth + 1) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [storable(each, depth + 1) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return str(value)
    return value


def _attachment(block: Mapping[str, Any]) -> JSON:
    """What it is that a model cannot be told: an image, a sound, a link, a file."""
    inner = block.get("resource") if isinstance(block.get("resource"), Mapping) else block
    assert isinstance(inner, Mapping), "a block is an object"  # noqa: S101
    told: dict[str, JSON] = {"kind": storable(str(block.get("type", "unknown"))[:40])}
    for ours, theirs in (("media_type", "mimeType"), ("uri", "uri"), ("name", "name")):
        if inner.get(theirs):
            told[ours] = storable(str(inner[theirs])[:500])
    encoded = inner.get("data") or inner.get("blob")
    if isinstance(encoded, str):
        told["bytes"] = len(encoded) * 3 // 4
    return told
