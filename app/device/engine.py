"""The model of a device's bundle as an engine: what the agents speak through, and what an app may chat with.

One answer is written at a time, on a thread of its own; more wait for their turn. A stream that is closed stops at the
next token; a prompt that is being read is read to its end.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.engines.chunks import begin, whole
from app.engines.protocol import Completion, CompletionStream, Json
from core.errors import EngineRejected, EngineUnavailable, InvalidInput
from edge.chat import DeviceChat, Piece, Sampling

_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed")
_KNOWN = frozenset(
    {*_SAMPLING, "messages", "model", "max_tokens", "max_completion_tokens", "response_format"}
    | {"stream", "stream_options"}
)


class DeviceEngine:
    """See `app.engines.protocol.Engine`. Tools take a `GrammarEngine` around it."""

    name = "device"

    def __init__(self, gguf: Path, *, context: int = 2048, threads: int = 0) -> None:
        """Load the model. Raises `CorruptArtefact` for files that llama.cpp cannot load."""
        self._chat: DeviceChat | None = DeviceChat(gguf, context=context, threads=threads)
        self.models = (gguf.stem,)
        self._thread = ThreadPoolExecutor(1, "device-engine")
        self._turn = asyncio.Lock()

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Answer as a whole."""
        stream = await self.stream({**request, "stream_options": {"include_usage": True}})
        return await whole(stream)

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Answer in pieces. Raises `EngineRejected` for a parameter that is not honoured here, and as `DeviceChat`."""
        unknown = [field for field in request if field not in _KNOWN]
        if unknown:
            raise EngineRejected(f"the device's engine has no parameter {unknown[0]}", param=unknown[0])
        sampling = Sampling(**{name: request[name] for name in _SAMPLING if request.get(name) is not None})
        schema = _schema(request.get("response_format"))
        usage = bool((request.get("stream_options") or {}).get("include_usage"))
        await self._turn.acquire()

        async def close() -> None:
            # What is at work for this stream comes to its next token first: there is one thread.
            self._turn.release()

        async def written() -> AsyncIterator[Json]:
            if self._chat is None:
                raise EngineUnavailable("the device's engine is closed")
            most = request.get("max_completion_tokens") or request.get("max_tokens")
            pieces = self._chat.write(_spoken(request["messages"]), sampling, most=most, schema=schema)
            async for chunk in self._chunks(pieces, usage=usage):
                yield chunk

        return CompletionStream(self.name, await begin(written(), close))

    async def close(self) -> None:
        """Let go of the model, when what it is writing has come to its next token."""
        chat, self._chat = self._chat, None
        await asyncio.to_thread(self._thread.shutdown)
        if chat is not None:
            await asyncio.to_thread(chat.close)

    async def _chunks(self, pieces: Iterator[Piece], *, usage: bool) -> AsyncIterator[Json]:
        head = {
            "id": "chatcmpl-" + secrets.token_hex(12),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self.models[0],
        }
        role: Json = {"role": "assistant"}
        while (piece := await self._next(pieces)) is not None:
            delta = role | {"content": piece.text}
            role = {}
            yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": piece.finish, "logprobs": None}]}
            if piece.finish and usage:
                total = piece.prompt_tokens + piece.completion_tokens
                counted = {"prompt_tokens": piece.prompt_tokens, "completion_tokens": piece.completion_tokens}
                yield {**head, "choices": [], "usage": {**counted, "total_tokens": total}}

    async def _next(self, pieces: Iterator[Piece]) -> Piece | None:
        if self._chat is None:
            raise EngineUnavailable("the device's engine is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, next, pieces, None)
        except InvalidInput as problem:
            raise EngineRejected(problem.message, param=problem.param) from problem
        except RuntimeError as problem:
            raise EngineUnavailable(f"the device's engine failed: {problem}") from problem


def _spoken(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages for a template that knows no developer: the role is OpenAI's newer word for system."""
    return [{**each, "role": "system"} if each["role"] == "developer" else each for each in messages]


def _schema(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    match response_format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"type": "object"}
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            wanted: Mapping[str, Any] = schema
            return wanted
    raise EngineRejected("the device's engine knows text, json_object and json_schema", param="response_format")
