"""An engine without a model, for tests and for measuring what everything around an engine costs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from app.engines.chunks import begin
from app.engines.protocol import Completion, CompletionStream, Json
from core.errors import EngineRejected

_MODEL = "null"
_DEFAULT_WORDS = 32


class NullEngine:
    """Says the last message's words again, at once. A word is a token.

    Honours `max_tokens`, `max_completion_tokens` and `stop`; sampling parameters have nothing to act on. Raises
    `EngineRejected` for `tools` and `response_format`, which it cannot honour.
    """

    name = "null"
    models = (_MODEL,)

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Echo as a whole."""
        words, finish, usage = _answer(request)
        message = {"role": "assistant", "content": " ".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return Completion(self.name, _frame("chat.completion", choice) | {"usage": usage})

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Echo word by word."""
        chunks = _chunks(request)

        async def close() -> None:
            """Nothing is held."""

        return CompletionStream(self.name, await begin(chunks, close))

    async def close(self) -> None:
        """Nothing is held."""


def _answer(request: Mapping[str, Any]) -> tuple[list[str], str, Json]:
    for field in ("tools", "response_format"):
        if request.get(field) not in (None, [], {"type": "text"}):
            raise EngineRejected(f"the null engine has no {field}", param=field)
    read = [_text(message) for message in request["messages"]]
    text = read[-1]
    stop = request.get("stop") or []
    for mark in [stop] if isinstance(stop, str) else stop:
        text = text.split(mark, 1)[0]
    limit = request.get("max_completion_tokens") or request.get("max_tokens") or _DEFAULT_WORDS
    words = text.split()
    said = words[:limit]
    prompt = sum(len(each.split()) for each in read)
    usage = {"prompt_tokens": prompt, "completion_tokens": len(said), "total_tokens": prompt + len(said)}
    return said, "stop" if len(said) == len(words) else "length", usage


async def _chunks(request: Mapping[str, Any]) -> AsyncIterator[Json]:
    words, finish, usage = _answer(request)
    yield _chunk({"role": "assistant", "content": ""})
    for i, word in enumerate(words):
        yield _chunk({"content": f" {word}" if i else word})
    yield _chunk({}, finish)
    if (request.get("stream_options") or {}).get("include_usage"):
        yield _frame("chat.completion.chunk") | {"usage": usage}


def _chunk(delta: Json, finish: str | None = None) -> Json:
    return _frame("chat.completion.chunk", {"index": 0, "delta": delta, "finish_reason": finish})


def _frame(kind: str, *choices: Json) -> Json:
    return {"id": "chatcmpl-null", "object": kind, "created": 0, "model": _MODEL, "choices": [*choices]}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part["text"] for part in content)
