from time import monotonic

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from app.runs.fence import FencedSaver, Lease, LeaseLost


async def test_a_lease_that_is_over_lets_nothing_be_written() -> None:
    inner, lease = InMemorySaver(), Lease(60)
    saver = FencedSaver(inner, lease)
    config: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    first = await saver.aput(config, empty_checkpoint(), {}, {})
    lease.extend(monotonic() - 0.001)
    with pytest.raises(LeaseLost):
        await saver.aput(config, empty_checkpoint(), {}, {})
    with pytest.raises(LeaseLost):
        await saver.aput_writes(first, [("a", 1)], "task")
    assert [each.config async for each in saver.alist(config)] == [first]
    lease.extend(monotonic() + 60)
    await saver.aput_writes(first, [("a", 1)], "task")
    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.pending_writes == [("task", "a", 1)]
