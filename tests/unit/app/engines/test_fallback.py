from typing import Any

import pytest

from app.engines.breaker import CircuitBreaker, State
from app.engines.fallback import FallbackEngine
from core.errors import EngineError, EngineRejected, EngineTimeout, EngineUnavailable
from tests.fakes.engines import ScriptedEngine

REQUEST: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}


def pair(*pieces: str | BaseException, failures: int = 5) -> tuple[FallbackEngine, ScriptedEngine, CircuitBreaker]:
    breaker = CircuitBreaker(failures, 30.0)
    primary = ScriptedEngine(*pieces, name="primary")
    return FallbackEngine(primary, ScriptedEngine("from", " fallback", name="embedded"), breaker), primary, breaker


async def said(engine: FallbackEngine) -> tuple[str, str]:
    stream = await engine.stream(REQUEST)
    chunks = [chunk async for chunk in stream.chunks]
    return stream.engine, "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])


@pytest.mark.parametrize("error", [EngineUnavailable("down"), EngineTimeout("slow")])
async def test_failures_fall_back_and_tell_who_spoke(error: EngineError) -> None:
    engine, _, _ = pair(error)
    done = await engine.complete(REQUEST)
    assert (done.engine, done.body["choices"][0]["message"]["content"]) == ("embedded", "from fallback")
    assert await said(engine) == ("embedded", "from fallback")


async def test_a_healthy_primary_answers() -> None:
    engine, _, _ = pair("from", " primary")
    assert (await engine.complete(REQUEST)).engine == "primary"
    assert await said(engine) == ("primary", "from primary")
    assert (engine.name, engine.models) == ("primary", ("primary-model",))


async def test_a_rejected_request_is_not_tried_elsewhere() -> None:
    engine, _, _ = pair(EngineRejected("bad"))
    with pytest.raises(EngineRejected):
        await engine.complete(REQUEST)
    with pytest.raises(EngineRejected):
        await engine.stream(REQUEST)


async def test_a_stream_that_breaks_off_does_not_fall_back_but_counts() -> None:
    engine, primary, breaker = pair("from", EngineTimeout("stalled"), failures=1)
    stream = await engine.stream(REQUEST)
    assert (await anext(stream.chunks))["choices"][0]["delta"]["content"] == "from"
    with pytest.raises(EngineTimeout):
        await anext(stream.chunks)
    assert breaker.state is State.OPEN
    assert primary.closed == 1


async def test_an_open_breaker_spares_the_primary() -> None:
    engine, primary, _ = pair(EngineUnavailable("down"), failures=1)
    await engine.complete(REQUEST)
    await engine.complete(REQUEST)
    assert len(primary.requests) == 1


@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_closing_the_stream_closes_the_primarys(taken: int) -> None:
    engine, primary, _ = pair("a", "b", "c")
    stream = await engine.stream(REQUEST)
    chunks: Any = stream.chunks
    for _ in range(taken):
        await anext(chunks)
    await chunks.aclose()
    assert primary.closed == 1
