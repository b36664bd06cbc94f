"""An engine that says back what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from app.engines.protocol import Completion, CompletionStream

MODEL = "echo-1"


class EchoEngine:
    """Says the last message back, word by word. `failure` is raised instead; `pace` is the seconds between words."""

    def __init__(self) -> None:
        self.name = "null"
        self.models = (MODEL,)
        self.requests: list[Mapping[str, Any]] = []
        self.failure: BaseException | None = None
        self.failure_after: int | None = None
        self.pace = 0.0
        self.stopped = asyncio.Event()

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        try:
            if self.pace:
                await asyncio.sleep(self.pace)
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        text = _text(request)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return Completion(self.name, {**_head("chat.completion"), "choices": [choice], "usage": _usage(text)})

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        self.requests.append(request)
        if self.failure is not None and self.failure_after is None:
            raise self.failure
        return CompletionStream(self.name, self._chunks(_text(request)))

    async def close(self) -> None:
        pass

    async def _chunks(self, text: str) -> AsyncIterator[dict[str, Any]]:
        try:
            for number, word in enumerate(text.split(" ")):
                if number == self.failure_after and self.failure is not None:
                    raise self.failure
                delta = {"content": word if number == 0 else " " + word}
                choice = {"index": 0, "delta": delta, "finish_reason": None}
                yield {**_head("chat.completion.chunk"), "choices": [choice]}
                await asyncio.sleep(self.pace)
            finish = {"index": 0, "delta": {}, "finish_reason": "stop"}
            yield {**_head("chat.completion.chunk"), "choices": [finish]}
            yield {**_head("chat.completion.chunk"), "choices": [], "usage": _usage(text)}
        finally:
            self.stopped.set()


def _text(request: Mapping[str, Any]) -> str:
    content = request["messages"][-1].get("content") or ""
    return content if isinstance(content, str) else " ".join(part["text"] for part in content)


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL}


def _usage(text: str) -> dict[str, int]:
    words = len(text.split())
    return {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}
