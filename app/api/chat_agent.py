"""The model `wayside` in OpenAI's words: a request becomes a turn, an answer becomes a completion."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict
from time import time
from typing import Any

from app.api.chat_request import WAYSIDE, ChatRequest, ToolMessage, text_of
from app.runs.owner import THREAD_ID
from core.errors import InvalidInput, UnsupportedParameter
from core.types import Answer, Citation, Message, Principal, TextDelta, Turn, TurnEvent, Usage

THREAD_HEADER = "x-wayside-thread"
Json = dict[str, Any]


def turn_of(request: ChatRequest, principal: Principal, header: str | None) -> Turn:
    """The turn that the request asks for, on the thread it names in `metadata.thread_id` or the header.

    Without a name a new thread begins. Raises `InvalidInput` when the last message is not a user's with text,
    when a message belongs to a tool, or when the thread's name is malformed.
    """
    metadata = request.metadata or {}
    for name in metadata:
        if name != "thread_id":
            raise UnsupportedParameter(
                "Only metadata.thread_id is supported: metadata is not stored.", param=f"metadata.{name}"
            )
    thread_id = metadata.get("thread_id", header)
    if thread_id is None:
        thread_id = str(uuid.uuid4())
    elif not THREAD_ID.fullmatch(thread_id):
        where = "metadata.thread_id" if "thread_id" in metadata else THREAD_HEADER
        raise InvalidInput("A thread id has 1 to 64 letters, digits, hyphens and underscores.", param=where)
    return Turn(principal, thread_id, _messages(request))


def _messages(request: ChatRequest) -> tuple[Message, ...]:
    messages = []
    for i, message in enumerate(request.messages):
        if isinstance(message, ToolMessage) or getattr(message, "tool_calls", None):
            raise UnsupportedParameter(
                f"The model {WAYSIDE} calls its own tools and takes no tool messages.", param=f"messages.{i}"
            )
        if message.name is not None:
            raise UnsupportedParameter("Names of participants are not supported.", param=f"messages.{i}.name")
        speaker = "system" if message.role == "developer" else message.role
        messages.append(Message(speaker, text_of(message)))
    if messages[-1].speaker != "user" or not messages[-1].text.strip():
        raise InvalidInput(
            "The last message must be the user's and must have text.", param=f"messages.{len(messages) - 1}"
        )
    return tuple(messages)


def completion(answer: Answer) -> Json:
    """The `chat.completion` object, with the citations as annotations."""
    message = {
        "role": "assistant",
        "content": answer.text,
        "refusal": None,
        "annotations": cited(answer),
    }
    return {
        "id": _new_id(),
        "object": "chat.completion",
        "created": int(time()),
        "model": WAYSIDE,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": usage_json(answer.usage),
        "wayside": _about(answer),
    }


async def chunks(pieces: AsyncIterator[TurnEvent], *, include_usage: bool) -> AsyncIterator[tuple[Json, Answer | None]]:
    """The `chat.completion.chunk` objects; the answer comes beside the chunk that carries the annotations.

    The text deltas are followed by one empty content delta with the annotations, by the finish, and, when it
    was asked for, by the usage.
    """
    head = {"id": _new_id(), "object": "chat.completion.chunk", "created": int(time()), "model": WAYSIDE}

    def chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}], **more}

    yield chunk({"role": "assistant", "content": ""}), None
    async for piece in pieces:
        if isinstance(piece, TextDelta):
            yield chunk({"content": piece.text}), None
            continue
        if not isinstance(piece, Answer):
            # A tool at work: this protocol has no word for it.
            continue
        yield chunk({"content": "", "annotations": cited(piece)}, wayside=_about(piece)), piece
        yield chunk({}, "stop"), None
        if include_usage:
            yield {**head, "choices": [], "usage": usage_json(piece.usage)}, None


def cited(answer: Answer) -> list[Json]:
    """One annotation for each place where the text marks a citation; the citation's own fields come along."""
    return [
        {"type": "url_citation", "url_citation": _citation(citation, found.start(), found.end())}
        for citation in answer.citations
        for found in re.finditer(rf"\[{citation.marker}\]", answer.text)
    ]


def usage_json(usage: Usage) -> Json:
    """OpenAI's usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _citation(citation: Citation, start_index: int, end_index: int) -> Json:
    url = f"/api/documents/{citation.document_id}"
    return {"url": url, "start_index": start_index, "end_index": end_index, **asdict(citation)}


def _about(answer: Answer) -> Json:
    about: Json = {"thread_id": answer.thread_id, "declined": answer.declined, "engine": answer.engine or None}
    return {**about, "approvals": list(answer.approvals)}


def _new_id() -> str:
    return "chatcmpl-" + secrets.token_hex(12)
