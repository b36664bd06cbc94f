import asyncio

import pytest

from app.runs.finishing import finished


async def test_a_step_is_finished_before_the_cancellation_goes_on() -> None:
    begun, done = asyncio.Event(), []

    async def step() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        done.append("all of it")

    task = asyncio.create_task(finished(step()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["all of it"]


async def test_what_it_gives_and_raises_comes_through() -> None:
    async def gives() -> int:
        return 7

    async def raises() -> None:
        raise ValueError("no")

    assert await finished(gives()) == 7
    with pytest.raises(ValueError, match="no"):
        await finished(raises())
