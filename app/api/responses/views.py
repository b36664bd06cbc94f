"""The response object and the list of its input, from the run's row and what was made of its events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app.api.responses.items import Json, given
from app.api.responses.ordering import RESPONSE, response_id
from app.runs.rows import Run
from app.runs.wayside import WAYSIDE
from core.types import Usage

# How it was made is the same for all, and is the assistant's own business.
_SAME: Mapping[str, Any] = {
    "incomplete_details": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
}


def response_view(
    run: Run,
    status: str,
    output: Sequence[Json] = (),
    *,
    usage: Usage | None = None,
    error: Json | None = None,
    answer: Mapping[str, Any] | None = None,
    completed_at: int | None = None,
) -> Json:
    """The response. Only what never changes is read off the row here; `answer` is the last one that was told."""
    asked = run.request.get(RESPONSE, {})
    told = answer or {}
    return {
        "id": response_id(run.id),
        "object": "response",
        "created_at": int(run.created_at.timestamp()),
        "completed_at": completed_at,
        "status": status,
        "model": WAYSIDE,
        "background": asked.get("background", False),
        "store": not run.ephemeral,
        "previous_response_id": asked.get("previous_response_id"),
        "instructions": asked.get("instructions"),
        "metadata": {name: value for name, value in run.labels.items() if isinstance(value, str)},
        "output": list(output),
        "usage": usage_view(usage) if usage is not None else None,
        "error": error,
        **_SAME,
        "wayside": {
            "thread_id": run.thread_id,
            "turn_id": run.id,
            "declined": told.get("declined"),
            "engine": told.get("engine") or None,
            "approvals": list(told.get("approvals") or ()),
        },
    }


def usage_view(usage: Usage) -> Json:
    """OpenAI's usage object for responses."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def input_items(run: Run) -> list[Json]:
    """What was given to the response, in order, without the instructions; nothing for one that was not asked for."""
    ahead = run.request.get(RESPONSE, {}).get("ahead", 0)
    messages = (run.request.get("input") or {}).get("messages", [])
    name = uuid.UUID(run.id).hex
    return [given(f"msg_{name}_in_{i}", _plain(said)) for i, said in enumerate(messages[ahead:])]


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    """A message in our own spelling: through other doors it may have come in LangChain's."""
    role = said.get("role") or said.get("type")
    content = said["content"]
    if isinstance(content, list) and all(part["type"] == "text" for part in content):
        content = "".join(part["text"] for part in content)
    return {"role": {"human": "user", "ai": "assistant"}.get(str(role), str(role)), "content": content}
