import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.engines.chunks import add_up, begin
from app.engines.protocol import Json


def chunk(delta: Json, **more: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": None} | more
    return {"id": "c1", "created": 1, "model": "m", "choices": [choice]}


async def streamed(*chunks: Json) -> AsyncIterator[Json]:
    for each in chunks:
        yield each


async def test_add_up_joins_text_logprobs_and_usage() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    body = await add_up(
        streamed(
            chunk({"role": "assistant", "content": None}),
            chunk({"content": "a"}, logprobs={"content": [1]}),
            chunk({"content": "b"}, logprobs={"content": [2]}),
            chunk({}, finish_reason="stop"),
            {"id": "c1", "created": 1, "model": "m", "choices": [], "usage": usage},
        )
    )
    choice = body["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "ab"}
    assert (choice["finish_reason"], choice["logprobs"], body["usage"]) == ("stop", {"content": [1, 2]}, usage)
    assert (body["object"], body["model"]) == ("chat.completion", "m")


async def test_add_up_joins_tool_calls_by_index() -> None:
    def call(index: int, arguments: str, **more: Any) -> Json:
        return {"index": index, "function": {"arguments": arguments, **more.pop("function", {})}, **more}

    body = await add_up(
        streamed(
            chunk({"tool_calls": [call(0, "{", id="a", function={"name": "f"})]}),
            chunk({"tool_calls": [call(0, "}")]}),
            chunk({"tool_calls": [call(1, "{}", id="b", function={"name": "g"})]}, finish_reason="tool_calls"),
        )
    )
    calls = body["choices"][0]["message"]["tool_calls"]
    assert [(c["id"], c["function"]) for c in calls] == [
        ("a", {"name": "f", "arguments": "{}"}),
        ("b", {"name": "g", "arguments": "{}"}),
    ]


async def test_a_failure_before_the_first_chunk_closes() -> None:
    closed = asyncio.Event()

    async def broken() -> AsyncIterator[Json]:
        raise ConnectionError("gone")
        yield {}

    async def close() -> None:
        closed.set()

    with pytest.raises(ConnectionError):
        await begin(broken(), close)
    assert closed.is_set()


async def test_nothing_comes_after_closing() -> None:
    closings = []

    async def close() -> None:
        closings.append(1)

    chunks = await begin(streamed(chunk({}), chunk({})), close)
    await chunks.aclose()
    await chunks.aclose()
    assert [each async for each in chunks] == []
    assert len(closings) == 1
