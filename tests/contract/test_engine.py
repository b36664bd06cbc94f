"""What every engine promises: the null one, one over HTTP, the embedded one, a device's, one that tries another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.engines.embedded import EmbeddedEngine
from app.engines.grammar_tools import GrammarEngine
from app.engines.null import NullEngine
from app.engines.openai import OpenAIEngine
from app.engines.protocol import Engine
from app.engines.trial import Trial, TrialEngine
from app.trials.variants import Variant
from core.errors import CorruptArtefact, EngineRejected, EngineTimeout, EngineUnavailable
from core.modelstore import ModelStore
from core.settings import EmbeddedSettings, EngineSettings
from core.versions import Kind, Lineage, Mode, Plan, Version
from tests.contract.conftest import ChatServer

MESSAGES = [{"role": "user", "content": "say some words about tents and boots please"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "description": "Look an order up by its number.",
        "parameters": {
            "type": "object",
            "properties": {"order_id": {"type": "string", "maxLength": 12}},
            "required": ["order_id"],
        },
    },
}


@pytest.fixture(scope="module")
def embedded(model_store: ModelStore) -> EmbeddedEngine:
    settings = EmbeddedSettings(context=2048, slots=2)
    return EmbeddedEngine(settings, model_store.path("smollm2-135m-instruct"))


def over_http(server: ChatServer, timeout: float = 30.0) -> OpenAIEngine:
    return OpenAIEngine(EngineSettings.model_validate({"url": server.url, "model": "remote", "timeout": timeout}))


def trying() -> TrialEngine:
    """One with a registered version as the champion, and another as a shadow."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    lineage = Lineage(base="", data="d", recipe="r", code="c")
    champion, challenger = (
        Variant(Version("house", number, Kind.GGUF, (), lineage, {}, "", "local:ada", moment), NullEngine())
        for number in (1, 2)
    )
    engine = TrialEngine(NullEngine())
    engine.serve(champion, Trial("house", 2, Plan(Mode.SHADOW), moment, challenger, minimum=5, patience=5.0))
    return engine


def on_device(store: ModelStore) -> Engine:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python, the extra `device`, is compiled where it runs")
    from app.device.engine import DeviceEngine

    return DeviceEngine(store.path("smollm2-135m-instruct"), context=1024)


@pytest.fixture
async def device(model_store: ModelStore) -> AsyncIterator[Engine]:
    made = on_device(model_store)
    yield made
    await made.close()


@pytest.fixture(params=["null", "openai", "embedded", "device", "trial"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    if request.param == "embedded":
        yield request.getfixturevalue("embedded")
        return
    made: Engine
    if request.param == "device":
        made = on_device(request.getfixturevalue("model_store"))
    elif request.param == "openai":
        made = over_http(request.getfixturevalue("chat_server"))
    else:
        made = NullEngine() if request.param == "null" else trying()
    yield made
    await made.close()


async def refusal(engine: Engine, **request: Any) -> str:
    with pytest.raises(EngineRejected) as refused:
        await engine.complete({"messages": MESSAGES, "max_tokens": 4, **request})
    with pytest.raises(EngineRejected):
        await engine.stream({"messages": MESSAGES, "max_tokens": 4, "stream": True, **request})
    return refused.value.message


async def test_completes(engine: Engine) -> None:
    done = await engine.complete({"messages": MESSAGES, "max_tokens": 5})
    assert done.engine == engine.name
    choice = done.body["choices"][0]
    assert done.body["object"] == "chat.completion"
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    assert choice["finish_reason"] == "length"
    usage = done.body["usage"]
    assert usage["completion_tokens"] == 5
    assert usage["total_tokens"] == usage["prompt_tokens"] + 5


async def test_streams_the_same_as_a_whole(engine: Engine) -> None:
    request = {"messages": MESSAGES, "max_tokens": 5, "temperature": 0, "seed": 1}
    whole = (await engine.complete(request)).body["choices"][0]["message"]["content"]
    stream = await engine.stream(request | {"stream": True, "stream_options": {"include_usage": True}})
    chunks = [chunk async for chunk in stream.chunks]
    assert stream.engine == engine.name
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole
    assert chunks[-1]["usage"]["completion_tokens"] == 5
    assert [c["finish_reason"] for chunk in chunks for c in chunk["choices"] if c.get("finish_reason")] == ["length"]


async def test_usage_is_streamed_only_when_asked_for(engine: Engine) -> None:
    stream = await engine.stream({"messages": MESSAGES, "max_tokens": 3, "stream": True})
    assert all(chunk["choices"] for chunk in [chunk async for chunk in stream.chunks])


async def test_closing_a_stream_ends_it(engine: Engine) -> None:
    stream = await engine.stream({"messages": MESSAGES, "stream": True})
    chunks: Any = stream.chunks
    await anext(chunks)
    await chunks.aclose()
    assert [chunk async for chunk in chunks] == []


async def test_works_on_several_requests_at_once(engine: Engine) -> None:
    request = {"messages": MESSAGES, "max_tokens": 3}
    bodies = await asyncio.gather(*(engine.complete(request) for _ in range(5)))
    assert {done.body["usage"]["completion_tokens"] for done in bodies} == {3}


async def until_idle(engine: EmbeddedEngine) -> float:
    begun = time.monotonic()
    while engine.running:
        assert time.monotonic() - begun < 60, "the generation was not stopped"
        await asyncio.sleep(0.01)
    return time.monotonic() - begun


async def test_embedded_stops_generating_when_the_stream_is_closed(embedded: EmbeddedEngine) -> None:
    stream = await embedded.stream({"messages": MESSAGES, "stream": True})
    chunks: Any = stream.chunks
    await anext(chunks)
    assert embedded.running == 1
    await chunks.aclose()
    await until_idle(embedded)


async def test_embedded_stops_reading_a_prompt_when_it_is_cancelled(embedded: EmbeddedEngine) -> None:
    long = [{"role": "user", "content": " ".join(f"n{i}" for i in range(240))}]
    task = asyncio.create_task(embedded.complete({"messages": long}))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_idle(embedded)


async def test_embedded_leaves_what_waits_for_a_slot_when_it_is_cancelled(embedded: EmbeddedEngine) -> None:
    busy = [await embedded.stream({"messages": MESSAGES, "stream": True}) for _ in range(2)]
    waiting = asyncio.create_task(embedded.complete({"messages": MESSAGES}))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for stream in busy:
        chunks: Any = stream.chunks
        await chunks.aclose()
    await until_idle(embedded)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"messages": [{"role": "user", "content": "word " * 3000}]}, "the engine reads at most 1024"),
        ({"messages": [{"role": "user", "content": "a\0b"}]}, "NUL"),
        ({"messages": [{"role": "user", "content": "a\ud800"}]}, "UTF-8"),
        ({"n_discard": -1}, "n_discard"),
        ({"lora": [{"id": 0, "scale": 1}]}, "lora"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "odd"}}}},
            "unrecognized type odd",
        ),
    ],
)
async def test_embedded_says_what_is_wrong(embedded: EmbeddedEngine, request_: dict[str, Any], told: str) -> None:
    assert told in await refusal(embedded, **request_)


async def test_embedded_hides_where_the_model_lies(embedded: EmbeddedEngine) -> None:
    body = (await embedded.complete({"messages": MESSAGES, "max_tokens": 1})).body
    assert body["model"] == embedded.models[0] == "smollm2-135m-instruct"
    assert "/" not in str(body)


@pytest.mark.parametrize("streamed", [False, True])
async def test_embedded_calls_tools_by_grammar(embedded: EmbeddedEngine, streamed: bool) -> None:
    request = {
        "messages": [{"role": "user", "content": "Where is order ORD-10421?"}],
        "tools": [TOOL],
        "tool_choice": "required",
        "temperature": 0,
    }
    if streamed:
        stream = await embedded.stream(request | {"stream": True})
        choices = [choice for chunk in [chunk async for chunk in stream.chunks] for choice in chunk["choices"]]
        calls = [call for choice in choices for call in choice["delta"].get("tool_calls") or ()]
        finish = choices[-1]["finish_reason"]
    else:
        choice = (await embedded.complete(request)).body["choices"][0]
        calls, finish = choice["message"]["tool_calls"], choice["finish_reason"]
    assert [call["function"]["name"] for call in calls] == ["lookup_order"]
    assert '"order_id":' in calls[0]["function"]["arguments"]
    assert finish == "tool_calls"


async def test_embedded_closes_while_it_speaks(model_store: ModelStore) -> None:
    settings = EmbeddedSettings(context=1024, slots=1)
    engine = EmbeddedEngine(settings, model_store.path("smollm2-135m-instruct"))
    stream = await engine.stream({"messages": MESSAGES, "stream": True})
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        async for _ in stream.chunks:
            pass
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.complete({"messages": MESSAGES})


def test_embedded_needs_a_valid_model(tmp_path: Any) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF nonsense")
    with pytest.raises(EngineUnavailable, match="could not load"):
        EmbeddedEngine(EmbeddedSettings(), broken)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"messages": [{"role": "user", "content": "word " * 3000}]}, "the model reads at most 1023"),
        ({"messages": [{"role": "user", "content": "a\ud800"}]}, "surrogates not allowed"),
        ({"stop": ["."]}, "stop"),
        ({"response_format": {"type": "grammar"}}, "json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "odd"}}}}, "odd"),
    ],
)
async def test_device_says_what_is_wrong(device: Engine, request_: dict[str, Any], told: str) -> None:
    assert told in await refusal(device, **request_)
    assert (await device.complete({"messages": MESSAGES, "max_tokens": 1})).body["usage"]["completion_tokens"] == 1


async def test_device_calls_tools_by_grammar(device: Engine) -> None:
    asked = [{"role": "user", "content": "Where is order ORD-10421?"}]
    request = {"messages": asked, "tools": [TOOL], "tool_choice": "required", "temperature": 0}
    choice = (await GrammarEngine(device).complete(request)).body["choices"][0]
    [call] = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "lookup_order"
    assert '"order_id":' in call["function"]["arguments"]


async def test_device_says_what_the_embedded_engine_says(device: Engine, embedded: EmbeddedEngine) -> None:
    request = {"messages": MESSAGES, "max_tokens": 12, "temperature": 0}
    ours, theirs = (await device.complete(request)).body, (await embedded.complete(request)).body
    assert ours["choices"][0]["message"]["content"] == theirs["choices"][0]["message"]["content"]
    assert ours["usage"]["prompt_tokens"] == theirs["usage"]["prompt_tokens"]


async def test_device_goes_on_after_a_stream_that_nobody_heard_out(device: Engine) -> None:
    request = {"messages": MESSAGES, "max_tokens": 12, "temperature": 0}
    whole = (await device.complete(request)).body["choices"][0]["message"]["content"]
    stream = await device.stream({"messages": MESSAGES, "stream": True})
    chunks: Any = stream.chunks
    waiting = asyncio.create_task(device.complete(request))
    await anext(chunks)
    assert not waiting.done(), "one answer at a time"
    await chunks.aclose()
    assert (await waiting).body["choices"][0]["message"]["content"] == whole


async def test_device_closes_while_it_speaks(model_store: ModelStore) -> None:
    engine = on_device(model_store)
    stream = await engine.stream({"messages": MESSAGES, "stream": True})
    await engine.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        async for _ in stream.chunks:
            pass
    with pytest.raises(EngineUnavailable, match="closed"):
        await engine.complete({"messages": MESSAGES})


def test_device_needs_a_valid_model(tmp_path: Any) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python, the extra `device`, is compiled where it runs")
    from app.device.engine import DeviceEngine

    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF nonsense")
    with pytest.raises(CorruptArtefact, match=r"cannot load broken\.gguf"):
        DeviceEngine(broken)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        *[(f"status {status}", EngineRejected) for status in (400, 404, 413, 422)],
        *[(f"status {status}", EngineUnavailable) for status in (401, 403, 408, 409, 429, 500, 503)],
        ("silence", EngineTimeout),
        ("garbage", EngineUnavailable),
    ],
)
async def test_openai_tells_failures_apart(chat_server: ChatServer, order: str, error: type[Exception]) -> None:
    engine = over_http(chat_server, timeout=1.0)
    request = {"messages": [{"role": "user", "content": order}]}
    with pytest.raises(error):
        await engine.complete(request)
    with pytest.raises(error):
        await engine.stream(request | {"stream": True})
    await engine.close()


@pytest.mark.parametrize(("order", "error"), [("stall", EngineTimeout), ("break", EngineUnavailable)])
async def test_openai_tells_how_a_stream_broke_off(chat_server: ChatServer, order: str, error: type[Exception]) -> None:
    engine = over_http(chat_server, timeout=1.0)
    stream = await engine.stream({"messages": [{"role": "user", "content": order}], "stream": True})
    with pytest.raises(error):
        async for _ in stream.chunks:
            pass
    await engine.close()


async def test_openai_closes_the_connection_with_the_stream(chat_server: ChatServer) -> None:
    engine = over_http(chat_server)
    stream = await engine.stream({"messages": [{"role": "user", "content": "stall"}], "stream": True})
    assert not chat_server.idle.is_set()
    chunks: Any = stream.chunks
    await chunks.aclose()
    assert await asyncio.to_thread(chat_server.idle.wait, 20), "the server still streams"
    await engine.close()


async def test_openai_says_when_nobody_listens() -> None:
    engine = OpenAIEngine(EngineSettings.model_validate({"url": "http://127.0.0.1:9/v1", "model": "m"}))
    with pytest.raises(EngineUnavailable, match="reached"):
        await engine.complete({"messages": MESSAGES})
    await engine.close()
