from typing import Any

import pytest

from app.engines.null import NullEngine
from core.errors import EngineRejected

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "one two three"}]


async def test_echoes_the_last_message_with_usage() -> None:
    body = (await NullEngine().complete({"messages": MESSAGES})).body
    assert body["choices"][0]["message"]["content"] == "one two three"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_honours_the_limit(limit: str) -> None:
    choice = (await NullEngine().complete({"messages": MESSAGES, limit: 2})).body["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one two", "length")


@pytest.mark.parametrize("stop", ["two", ["nowhere", "two"]])
async def test_honours_stop(stop: object) -> None:
    choice = (await NullEngine().complete({"messages": MESSAGES, "stop": stop})).body["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one", "stop")


@pytest.mark.parametrize("field", [{"tools": [{"type": "function"}]}, {"response_format": {"type": "json_object"}}])
async def test_refuses_what_it_cannot_honour(field: dict[str, Any]) -> None:
    with pytest.raises(EngineRejected):
        await NullEngine().complete({"messages": MESSAGES, **field})
    with pytest.raises(EngineRejected):
        await NullEngine().stream({"messages": MESSAGES, **field})
