"""The items that a response's output and input are made of. Each is made anew and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.runs.wayside import WAYSIDE

Json = dict[str, Any]


def text_part(text: str, annotations: Sequence[Json] = ()) -> Json:
    """A piece of an answer's text."""
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def message(id_: str, status: str, content: Sequence[Json] = ()) -> Json:
    """An answer, or a part of one."""
    return {"id": id_, "type": "message", "role": "assistant", "status": status, "content": list(content)}


def call(
    id_: str, tool: str, arguments: str, status: str, output: str | None = None, approval: str | None = None
) -> Json:
    """A tool at work: ours are told as those of one MCP server."""
    return {
        "id": id_,
        "type": "mcp_call",
        "server_label": WAYSIDE,
        "name": tool,
        "arguments": arguments,
        "status": status,
        "output": output,
        "error": None,
        "approval_request_id": approval,
    }


def approval_request(approval: str, tool: str, arguments: str, reason: str) -> Json:
    """A call that waits for people; its id is the approval's."""
    return {
        "id": approval,
        "type": "mcp_approval_request",
        "server_label": WAYSIDE,
        "name": tool,
        "arguments": arguments,
        "reason": reason,
    }


def given(id_: str, said: Mapping[str, Any]) -> Json:
    """A message of the input; of a file, its name."""
    if isinstance(said["content"], list):
        parts = [_given_part(part) for part in said["content"] if part["type"] != "observed"]
        return {"id": id_, "type": "message", "role": said["role"], "status": "completed", "content": parts}
    if said["role"] == "assistant":
        return message(id_, "completed", [text_part(said["content"])])
    content = [{"type": "input_text", "text": said["content"]}]
    return {"id": id_, "type": "message", "role": said["role"], "status": "completed", "content": content}


def _given_part(part: Mapping[str, Any]) -> Json:
    if part["type"] == "text":
        return {"type": "input_text", "text": part["text"]}
    return {"type": "input_file", "filename": part["attachment"]["name"]}


def compact(value: Any) -> str:
    """JSON in a string, as the protocol carries arguments and results."""
    return orjson.dumps(value).decode()
