"""Any API that speaks OpenAI's protocol, through OpenAI's own client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from app.engines.chunks import begin
from app.engines.protocol import Completion, CompletionStream, Json
from core.errors import EngineRejected, EngineTimeout, EngineUnavailable
from core.settings import EngineSettings

# These say that the engine, not the request, is at fault: a wrong key of ours, its own time-out, a conflict, its limit.
_REFUSALS = frozenset({401, 403, 408, 409, 429})


class OpenAIEngine:
    """The engine behind `settings.url`. Tries once: what to do about a failure is decided by who asked."""

    def __init__(self, settings: EngineSettings, name: str = "primary") -> None:
        if settings.url is None:
            raise ValueError("an OpenAI engine needs settings.url")
        self.name = name
        self.models = (settings.model,)
        key = settings.api_key.get_secret_value() if settings.api_key else "none"
        self._client = openai.AsyncOpenAI(
            base_url=str(settings.url), api_key=key, timeout=settings.timeout, max_retries=0
        )

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Answer as a whole."""
        with _translated():
            answer = await self._client.chat.completions.create(**self._body(request))
            # The client hands on what is no JSON as a plain string.
            if not isinstance(answer, ChatCompletion):
                raise EngineUnavailable("the engine answered with something that is no chat completion")
        return Completion(self.name, answer.to_dict(mode="json"))

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Answer in pieces. Closing the stream closes the connection, upon which a server stops."""
        with _translated():
            answer: Any = await self._client.chat.completions.create(**self._body(request) | {"stream": True})
        return CompletionStream(self.name, await begin(_chunks(answer), answer.close))

    async def close(self) -> None:
        """Close the pool of connections."""
        await self._client.close()

    def _body(self, request: Mapping[str, Any]) -> Json:
        return {**request, "model": self.models[0]}


async def _chunks(answer: openai.AsyncStream[Any]) -> AsyncIterator[Json]:
    with _translated():
        async for chunk in answer:
            yield chunk.to_dict(mode="json")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except openai.APITimeoutError as problem:
        raise EngineTimeout("the engine gave no answer within the time allowed") from problem
    except openai.APIConnectionError as problem:
        raise EngineUnavailable("the engine cannot be reached") from problem
    except openai.APIStatusError as problem:
        if problem.status_code < 500 and problem.status_code not in _REFUSALS:
            raise EngineRejected(f"the engine rejected the request: {problem.message}") from problem
        raise EngineUnavailable(f"the engine refused with status {problem.status_code}") from problem
    except json.JSONDecodeError as problem:
        raise EngineUnavailable("the engine sent a chunk that is no JSON") from problem
    except openai.APIError as problem:
        raise EngineUnavailable(f"the engine broke off: {problem.message}") from problem
