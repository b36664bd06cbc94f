"""How an OpenAI-compatible API failed, in our words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import openai

from core.errors import EngineRejected, EngineTimeout, EngineUnavailable

# These say that the API's side is at fault, not the request: our key, its own time-out, a conflict, its limit.
_REFUSALS = frozenset({401, 403, 408, 409, 429})


@contextmanager
def translated(who: str) -> Iterator[None]:
    """Turn the client's errors within the block into ours; `who` begins each sentence, such as `the voice`."""
    try:
        yield
    except openai.APITimeoutError as problem:
        raise EngineTimeout(f"{who} gave no answer within the time allowed") from problem
    except openai.APIConnectionError as problem:
        raise EngineUnavailable(f"{who} cannot be reached") from problem
    except openai.APIStatusError as problem:
        if problem.status_code < 500 and problem.status_code not in _REFUSALS:
            raise EngineRejected(f"{who} rejected the request: {problem.message}") from problem
        raise EngineUnavailable(f"{who} refused with status {problem.status_code}") from problem
    except json.JSONDecodeError as problem:
        raise EngineUnavailable(f"{who} sent something that is no JSON") from problem
    except openai.APIError as problem:
        raise EngineUnavailable(f"{who} broke off: {problem.message}") from problem
