"""A consumer of payments that is killed again and again: every payment gets one decision, and none gets two.

As a program: `python -m tests.integration.streaming --payments 100000 --kills 40`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nats
import orjson
from nats.js.client import JetStreamContext

from app.fraud.jetstream import JetStreamPayments
from core.database import Database
from core.settings import FraudStream
from tabular.fraud.live import LiveFraud
from tabular.fraud.scoring import Scorer
from tests.databases import throwaway
from tests.integration.paying import arguments, kept, payments

NATS = os.environ.get("WAYSIDE_TEST_NATS_URL", "nats://127.0.0.1:4222")
TENANT = "harbor"
_ACK_WAIT = 1.0


@dataclass(frozen=True)
class Found:
    """What came of the payments: how often each was decided about, in the results and in the database."""

    results: Counter[str]
    rejected: int
    decisions: int
    events: int
    kills: int


@asynccontextmanager
async def streams() -> AsyncIterator[tuple[JetStreamContext, FraudStream]]:
    """Streams of their own on the server, removed afterwards. Raises `OSError` without a server."""
    mark = uuid.uuid4().hex[:8]
    wanted = FraudStream(
        url=NATS,
        stream=f"PAY_{mark}",
        subject=f"pay.{mark}",
        results_stream=f"FRAUD_{mark}",
        results=f"fraud.{mark}.decisions",
        rejected=f"fraud.{mark}.rejected",
    )
    client = await nats.connect(NATS, connect_timeout=2, max_reconnect_attempts=1, allow_reconnect=False)
    stream = client.jetstream()
    try:
        await stream.add_stream(name=wanted.stream, subjects=[wanted.subject])
        yield stream, wanted
    finally:
        for name in (wanted.stream, wanted.results_stream):
            try:
                await stream.delete_stream(name)
            except nats.js.errors.NotFoundError:
                continue
        await client.close()


async def publish(stream: JetStreamContext, wanted: FraudStream, count: int, seed: int) -> None:
    """Payments of the last days, one of a hundred of which is none."""
    for _, body in payments(count, seed):
        await stream.publish_async(wanted.subject, body)
    await stream.publish_async_completed()


async def put_through(dsn: str, count: int, kills: int, seed: int) -> Found:
    """Publish, and let consumers work that are killed at random moments, until everything is answered."""
    rng = random.Random(seed)
    async with streams() as (stream, wanted):
        await publish(stream, wanted, count, seed)
        settings = wanted.model_dump_json()
        killed = 0
        step = count // (kills + 1)
        child = _child(dsn, settings)
        try:
            while (answered := await _answered(stream, wanted)) < count:
                if killed < kills and answered >= killed * step + rng.randrange(step):
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    killed += 1
                    child = _child(dsn, settings)
                if child.poll() is not None:
                    raise RuntimeError(f"the consumer ended by itself: {child.returncode}")
                await asyncio.sleep(0.02)
            # What is sent again late must not be answered again.
            await asyncio.sleep(2 * _ACK_WAIT)
        finally:
            child.kill()
            child.wait()
        results: Counter[str] = Counter()
        rejected = 0
        pull = await stream.pull_subscribe("", durable="reader", stream=wanted.results_stream)
        total = (await stream.stream_info(wanted.results_stream)).state.messages
        while sum(results.values()) + rejected < total:
            for message in await pull.fetch(500, timeout=5):
                await message.ack()
                if message.subject == wanted.rejected:
                    rejected += 1
                else:
                    results[orjson.loads(message.data)["transaction_id"]] += 1
    decisions, events = await kept(dsn)
    return Found(results, rejected, decisions, events, killed)


async def _answered(stream: JetStreamContext, wanted: FraudStream) -> int:
    try:
        return int((await stream.stream_info(wanted.results_stream)).state.messages)
    except nats.js.errors.NotFoundError:
        return 0


def _child(dsn: str, settings: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.streaming", "--consume", dsn, settings]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)


async def consume(dsn: str, settings: str) -> None:
    """What the gateway runs, on the database and the stream, with the rules alone."""
    database = Database(dsn)
    live = LiveFraud(database, lambda _: Scorer(None))
    await JetStreamPayments(live, TENANT, FraudStream.model_validate_json(settings), ack_wait=_ACK_WAIT).run()


async def _measure(count: int, kills: int, seed: int, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with throwaway(kind, Path(folder)) as dsn:
            begun = datetime.now(UTC)
            found = await put_through(dsn, count, kills, seed)
            seconds = (datetime.now(UTC) - begun).total_seconds()
    good = count - count // 100
    twice = sum(each > 1 for each in found.results.values())
    print(
        f"{kind}: {count} payments, {found.kills} kills, {seconds:.0f} s: {len(found.results)} of {good} decided, "
        f"{twice} twice, {found.rejected} rejected; the database has {found.decisions} decisions, {found.events} events"
    )


if __name__ == "__main__":
    given = arguments()
    if given.consume:
        asyncio.run(consume(*given.consume))
    else:
        asyncio.run(_measure(given.payments, given.kills, given.seed, given.database))
