"""The model `wayside` in OpenAI's words: a request becomes a turn, an answer becomes a completion."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from time import time
from typing import Any

from agents.observed import pack
from app.api.chat_request import ChatRequest, ToolMessage, media_of, text_of
from app.api.citing import marked
from app.observing import Observing, joined
from app.parts import sent
from app.runs.owner import THREAD_ID
from app.runs.wayside import WAYSIDE
from core.canonical import storable
from core.errors import InvalidInput, UnsupportedParameter
from core.types import Answer, Message, Principal, TextDelta, Turn, TurnEvent, Usage

THREAD_HEADER = "x-wayside-thread"
Json = dict[str, Any]


def turn_of(request: ChatRequest, principal: Principal, header: str | None) -> Turn:
    """The turn that the request asks for, on the thread it names in `metadata.thread_id` or the header.

    Without a name a new thread begins. Raises `InvalidInput` when the last message is not a user's with text, when a
    message belongs to a tool or holds a NUL, which not every database stores, and when the thread's name is malformed
    or there are two of them.
    """
    metadata = request.metadata or {}
    for name in metadata:
        if name != "thread_id":
            raise UnsupportedParameter(
                "Only metadata.thread_id is supported: metadata is not stored.", param=f"metadata.{name}"
            )
    thread_id = metadata.get("thread_id", header)
    if header not in (None, thread_id):
        raise InvalidInput(f"The header {THREAD_HEADER} names another thread.", param="metadata.thread_id")
    fresh = thread_id is None
    if thread_id is None:
        thread_id = str(uuid.uuid4())
    elif not THREAD_ID.fullmatch(thread_id):
        where = "metadata.thread_id" if "thread_id" in metadata else THREAD_HEADER
        raise InvalidInput("A thread id has 1 to 64 letters, digits, hyphens and underscores.", param=where)
    return Turn(principal, thread_id, _messages(request), fresh)


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
        text = text_of(message)
        if not storable(text):
            raise InvalidInput("The message holds a character that cannot be stored.", param=f"messages.{i}")
        messages.append(Message(speaker, text))
    last = request.messages[-1]
    if messages[-1].speaker != "user" or not (messages[-1].text.strip() or sent(last.content, "")):
        raise InvalidInput(
            "The last message must be the user's and must have text.", param=f"messages.{len(messages) - 1}"
        )
    return tuple(messages)


async def with_media(turn: Turn, request: ChatRequest, observing: Observing) -> Turn:
    """The turn with what the request attaches, made out. Raises what `Observing.read` raises."""
    media = media_of(request)
    if not media:
        return turn
    came = await observing.read(turn.principal.tenant, media)
    messages = zip(turn.messages, came, strict=True)
    return replace(turn, messages=tuple(joined(message, each) for message, each in messages))


def completion(answer: Answer, turn: Turn) -> Json:
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
        "wayside": _about(answer, turn),
    }


async def chunks(
    pieces: AsyncIterator[TurnEvent], turn: Turn, *, include_usage: bool
) -> AsyncIterator[tuple[Json, Answer | None]]:
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
        yield chunk({"content": "", "annotations": cited(piece)}, wayside=_about(piece, turn)), piece
        yield chunk({}, "stop"), None
        if include_usage:
            yield {**head, "choices": [], "usage": usage_json(piece.usage)}, None


def cited(answer: Answer) -> list[Json]:
    """One annotation for each place where the text marks a citation."""
    places = marked(answer.text, [asdict(citation) for citation in answer.citations])
    return [{"type": "url_citation", "url_citation": place} for place in places]


def usage_json(usage: Usage) -> Json:
    """OpenAI's usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _about(answer: Answer, turn: Turn) -> Json:
    about: Json = {"thread_id": answer.thread_id, "turn_id": turn.id, "declined": answer.declined}
    observed = turn.messages[-1].observed
    made_out = {"observed": pack(observed)} if observed else {}
    return {**about, "engine": answer.engine or None, "approvals": list(answer.approvals), **made_out}


def _new_id() -> str:
    return "chatcmpl-" + secrets.token_hex(12)
