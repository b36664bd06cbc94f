"""Payments along NATS JetStream to a consumer that is killed: no decision missing, none twice."""

from __future__ import annotations

import os
from pathlib import Path

import nats
import pytest

from tests.databases import throwaway
from tests.integration.streaming import NATS, put_through

COUNT = 2_000


async def _there() -> None:
    try:
        client = await nats.connect(NATS, connect_timeout=2, allow_reconnect=False, max_reconnect_attempts=1)
    except (OSError, nats.errors.Error):
        if "WAYSIDE_CI" in os.environ:
            raise
        pytest.skip(f"no NATS at {NATS}")
    await client.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_every_payment_is_decided_about_once(kind: str, tmp_path: Path) -> None:
    await _there()
    async with throwaway(kind, tmp_path) as dsn:
        found = await put_through(dsn, COUNT, 4, seed=11)
    good = {f"PAY-{number}" for number in range(COUNT) if number % 100 != 99}
    assert found.kills == 4
    assert found.results.keys() == good
    assert max(found.results.values()) == 1
    assert found.rejected == COUNT // 100
    assert found.decisions == found.events == len(good)
