"""A checkpointer that a run may write to only while it holds its lease."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from time import monotonic
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from core.errors import Conflict


class LeaseLost(Conflict):
    """Another worker may have the run by now: this one must not touch it any more."""

    code = "lease_lost"


class Lease:
    """Until when, on this machine's monotonic clock, the run is surely ours.

    The clock goes on while a process is stopped, so one that wakes up late finds its lease over before it writes.
    """

    def __init__(self, seconds: float) -> None:
        self._until = monotonic() + seconds

    def extend(self, until: float) -> None:
        """Hold on until the monotonic time `until`, which was taken before the renewal was written."""
        self._until = until

    def check(self) -> None:
        """Raise `LeaseLost` when the time is over."""
        if monotonic() >= self._until:
            raise LeaseLost("the lease of this run ran out")


class FencedSaver(BaseCheckpointSaver[Any]):
    """`inner`, as long as the lease holds."""

    def __init__(self, inner: BaseCheckpointSaver[Any], lease: Lease) -> None:
        super().__init__(serde=inner.serde)
        self._inner = inner
        self._lease = lease

    @property
    def config_specs(self) -> list[Any]:
        """As the inner saver has them."""
        return self._inner.config_specs

    def get_next_version(self, current: Any, channel: None) -> Any:
        """As the inner saver counts."""
        return self._inner.get_next_version(current, channel)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Read a checkpoint; reading needs no lease."""
        return await self._inner.aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """List checkpoints; reading needs no lease."""
        async for each in self._inner.alist(config, filter=filter, before=before, limit=limit):
            yield each

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint. Raises `LeaseLost`."""
        self._lease.check()
        return await self._inner.aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Write what a task gave. Raises `LeaseLost`."""
        self._lease.check()
        await self._inner.aput_writes(config, writes, task_id, task_path)

    async def aget_delta_channel_history(self, *, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, Any]:
        """Read what delta channels are made of."""
        return await self._inner.aget_delta_channel_history(config=config, channels=channels)
