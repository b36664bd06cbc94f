"""The embedded engine: llama.cpp's server in this process.

Requests go to the server by function call, not over HTTP (measured in `evals/bench/`). Each generation runs on a
thread of its own while it lasts and hands its chunks to the event loop; the callback that takes a chunk also says
whether to go on, so a closed stream stops at the next token. `return_progress` makes the server call back between
the batches of a long prompt too, so that even reading can be stopped. Every generation is streamed inside for that
reason, also one that is asked for as a whole.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson

from app.engines.chunks import begin, whole
from app.engines.house import HOUSE_ADAPTER
from app.engines.llamacpp import parameters, serve
from app.engines.protocol import Completion, CompletionStream, Json
from app.engines.slots import Slots
from app.engines.tool_grammar import tool_grammar, without_tools
from core.errors import EngineRejected, EngineUnavailable
from core.settings import EmbeddedSettings

# What reaches llama.cpp. Its server has many parameters of its own, some of which have been security holes when
# clients could set them, so nothing passes that is not named here. `model` and the streaming options are ours to set.
_PASSED = frozenset(
    "messages temperature top_p stop seed frequency_penalty presence_penalty logit_bias logprobs top_logprobs"
    " response_format".split()
)
_OURS = frozenset({"model", "max_tokens", "max_completion_tokens", "stream", "stream_options"})
_PROMPT_BATCH = 512


class EmbeddedEngine:
    """SmolLM2, or any GGUF, served by llama.cpp. Tools are chosen by grammar (`tool_grammar`).

    Each adapter is a model of its own name. Who names none is served by the settings' `adapter`, or by their
    `tool_adapter` where tools are offered, and by the base where there is neither.
    """

    name = "embedded"

    def __init__(self, settings: EmbeddedSettings, gguf: Path) -> None:
        """Load the model and its adapters; takes as long as reading the files.

        Raises `EngineUnavailable` when one is no valid GGUF, and what `adapters.checked` raises.
        """
        own = Path(settings.model)
        self._adapters = (*settings.adapters,)
        self._adapter = settings.adapter or None
        self._tool_adapter = settings.tool_adapter or self._adapter
        # Ours was made for the packaged model, whose hash is pinned.
        strange = {name: path for name, path in settings.adapters.items() if path != HOUSE_ADAPTER}
        if strange:
            # Reading GGUF files takes a package that is slow to import, which only those who have adapters wait for.
            from app.engines.adapters import checked

            checked(strange, gguf)
        self.models = (own.stem if own.suffix == ".gguf" else settings.model, *self._adapters)
        threads = settings.threads or os.cpu_count() or 1
        self._server: Any = serve(
            parameters(
                gguf,
                slots=settings.slots,
                context=settings.context,
                batch=_PROMPT_BATCH,
                threads=threads,
                adapters=[*settings.adapters.values()],
            )
        )
        # Without adapters nothing can be mixed up, and llama.cpp itself finds the slot that remembers most of a prompt.
        self._slots = Slots(settings.slots) if self._adapters else None
        self._threads = ThreadPoolExecutor(settings.slots, "embedded-engine")
        self._running: set[_Generation] = set()

    @property
    def running(self) -> int:
        """Generations under way or waiting for a slot."""
        return len(self._running)

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Answer as a whole. Cancelling the task stops the generation."""
        stream = await self.stream({**request, "stream_options": {"include_usage": True}})
        return await whole(stream)

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Answer in pieces. More requests than slots wait for one, unless they are closed before.

        Raises `EngineRejected` for a prompt longer than a slot's context, a schema that cannot be a grammar, a NUL
        character, text that is no Unicode, or a parameter that the engine does not have.
        """
        grammar = tool_grammar(request)
        asked = request.get("model")
        usual = self._tool_adapter if grammar else self._adapter
        adapter = asked if asked in self._adapters else usual
        body = self._body(grammar.request if grammar else without_tools(request), adapter)
        if self._server is None:
            raise EngineUnavailable("the embedded engine is closed")
        generation = _Generation(body, adapter, asyncio.get_running_loop())
        self._running.add(generation)
        future = self._threads.submit(generation.run, self._server, self._slots)
        future.add_done_callback(lambda _: self._running.discard(generation))

        async def close() -> None:
            generation.stopped = True
            future.cancel()

        usage = (request.get("stream_options") or {}).get("include_usage")
        chunks = self._chunks(generation, usage=bool(usage))
        return CompletionStream(self.name, await begin(grammar.read(chunks) if grammar else chunks, close))

    async def close(self) -> None:
        """Stop what is running and let go of the model."""
        for generation in tuple(self._running):
            generation.stopped = True
            generation.queue.put_nowait(EngineUnavailable("the embedded engine was closed"))
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        # The last reference to the server ends its threads, which takes a moment.
        server, self._server = self._server, None
        await asyncio.to_thread(lambda held: held.clear(), [server])

    def _body(self, request: Mapping[str, Any], adapter: str | None) -> Json:
        unknown = [field for field in request if field not in _PASSED and field not in _OURS]
        if unknown:
            raise EngineRejected(f"the embedded engine has no parameter {unknown[0]}", param=unknown[0])
        body = {field: value for field, value in request.items() if field in _PASSED}
        # The model's template knows no developer; the role is OpenAI's newer word for system.
        body["messages"] = [
            {**message, "role": "system"} if message["role"] == "developer" else message for message in body["messages"]
        ]
        limit = request.get("max_completion_tokens") or request.get("max_tokens")
        body |= {"max_tokens": limit} if limit else {}
        body |= {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        # Every one is named: what a request leaves out stays as the server's last change left it.
        scales = [{"id": place, "scale": float(name == adapter)} for place, name in enumerate(self._adapters)]
        body |= {"lora": scales} if scales else {}
        if "\\u0000" in _written(body):
            raise EngineRejected("a message has a NUL character, where llama.cpp would end the text", param="messages")
        return body

    async def _chunks(self, generation: _Generation, *, usage: bool) -> AsyncIterator[Json]:
        while True:
            told = await generation.queue.get()
            if told is None:
                return
            if isinstance(told, BaseException):
                raise told
            chunk = orjson.loads(told)
            if "error" in chunk:
                raise _refusal(chunk["error"])
            if "prompt_progress" in chunk or not (chunk["choices"] or usage):
                continue
            yield _clean(chunk, generation.adapter or self.models[0])


class _Generation:
    """One answer in the making: what is asked, what comes, and whether anybody still wants it."""

    def __init__(self, body: Json, adapter: str | None, loop: asyncio.AbstractEventLoop) -> None:
        self.queue: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self.stopped = False
        self._body = body
        self.adapter = adapter
        self._loop = loop

    def run(self, server: Any, slots: Slots | None) -> None:
        """Generate, on a thread of the engine, in a slot that remembers nothing of another adapter."""
        try:
            with slots.taken(self.adapter) if slots else nullcontext() as slot:
                place = {"id_slot": slot.number, "cache_prompt": slot.remembers} if slot else {}
                server.handle_chat_completions(_written({**self._body, **place}), self._take)
        except ValueError as problem:
            self._put(EngineRejected(f"llama.cpp rejected the request: {problem}"))
        except RuntimeError as problem:
            self._put(EngineUnavailable(f"llama.cpp failed: {problem}"))
        else:
            self._put(None)

    def _take(self, chunk: str) -> bool:
        """Hand on a chunk; true tells llama.cpp to stop."""
        if not self.stopped:
            self._put(chunk)
        return self.stopped

    def _put(self, told: str | BaseException | None) -> None:
        # The loop of an abandoned generation may be gone.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.queue.put_nowait, told)


def _clean(chunk: Json, model: str) -> Json:
    """The chunk as OpenAI defines it: without llama.cpp's own fields, and with a model's name in place of its path."""
    fields = ("id", "object", "created", "choices", "usage")
    return {"model": model, **{field: chunk[field] for field in fields if field in chunk}}


def _written(body: Json) -> str:
    try:
        return orjson.dumps(body).decode()
    except TypeError as problem:
        raise EngineRejected(f"the request cannot be written as JSON: {problem}") from problem


def _refusal(error: Mapping[str, Any]) -> EngineRejected | EngineUnavailable:
    if error.get("type") == "exceed_context_size_error":
        tokens, limit = error["n_prompt_tokens"], error["n_ctx"]
        return EngineRejected(f"the prompt has {tokens} tokens, and the engine reads at most {limit}", param="messages")
    if error["code"] < 500:
        return EngineRejected(f"llama.cpp rejected the request: {error['message']}")
    return EngineUnavailable(f"llama.cpp failed: {error['message']}")
