"""An engine with a script, for tests of what stands around engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from app.engines.chunks import add_up, begin
from app.engines.protocol import Completion, CompletionStream, Json


class ScriptedEngine:
    """Says its pieces in order, then ends; a piece that is an exception is raised instead.

    Remembers every request and whether its streams were closed.
    """

    def __init__(self, *pieces: str | BaseException, name: str = "scripted", finish: str = "stop") -> None:
        self.name = name
        self.models = (f"{name}-model",)
        self.requests: list[Mapping[str, Any]] = []
        self.closed = 0
        self._pieces: Sequence[str | BaseException] = pieces
        self._finish = finish

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """The pieces as a whole."""
        self.requests.append(request)
        return Completion(self.name, await add_up(self._chunks()))

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """The pieces one by one, then the usage."""
        self.requests.append(request)
        return CompletionStream(self.name, await begin(self._chunks(), self._count_closing))

    async def close(self) -> None:
        """Nothing is held."""

    async def _count_closing(self) -> None:
        self.closed += 1

    async def _chunks(self) -> AsyncIterator[Json]:
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield self._chunk({"index": 0, "delta": {"content": piece}, "finish_reason": None})
        yield self._chunk({"index": 0, "delta": {}, "finish_reason": self._finish})
        usage = {"prompt_tokens": 5, "completion_tokens": len(self._pieces), "total_tokens": 5 + len(self._pieces)}
        yield self._chunk() | {"usage": usage}

    def _chunk(self, *choices: Json) -> Json:
        kind = "chat.completion.chunk"
        return {"id": "c1", "object": kind, "created": 1, "model": self.models[0], "choices": [*choices]}
