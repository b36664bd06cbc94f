"""Card transactions from a topic of Kafka, and a decision for each on another one, once.

Decisions and the place in the topic up to which they reach are written in one transaction of Kafka (KIP-98, KIP-447):
readers that ask for what is committed (`isolation.level=read_committed`) find all of it or nothing. A process that
dies in between is given the payments again, finds the decisions that were made before in the database, and says the
same. What is no transaction goes to a topic of its own with what is wrong.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from app import logs
from app.fraud.answering import Answer, answer
from app.runs.finishing import finished
from core.errors import InvalidInput
from core.settings import FraudKafka
from tabular.fraud.live import LiveFraud

_TOGETHER = 64
_PATIENCE = 1.0
_RETRY = 1.0
_STANDBY = 30.0
_SESSION = 10.0
_ANSWERED_WITHIN = 10.0
_HELD_BACK = 30_000
"""Milliseconds for which readers are held back by what a gateway that never comes back had not committed."""

_OURS = frozenset({
    "bootstrap.servers", "group.id", "transactional.id", "enable.auto.commit", "isolation.level", "auto.offset.reset",
})  # fmt: skip


class KafkaPayments:
    """Decides about what comes along the topic, for one tenant."""

    def __init__(
        self,
        live: LiveFraud,
        tenant: str,
        settings: FraudKafka,
        *,
        session: float = _SESSION,
        answered_within: float = _ANSWERED_WITHIN,
        patience: float = _PATIENCE,
    ) -> None:
        """After `session` seconds without a sign of life from this process its part of the topic is given to others.

        `answered_within` is how many seconds brokers have to answer, before everything is opened anew, and `patience`
        how many it waits for a payment before it looks whether it is to stop.

        Raises `InvalidInput` for options that are not the settings' to choose or that librdkafka does not take, and for
        topics that are the same.
        """
        if taken := sorted(_OURS & settings.options.keys()):
            raise InvalidInput(f"{taken[0]} is Wayside's to set", param="fraud.kafka.options")
        if len({settings.topic, settings.results, settings.rejected}) < 3:
            told = f"{settings.topic}, {settings.results} and {settings.rejected} have to be three topics"
            raise InvalidInput(told, param="fraud.kafka")
        self._live = live
        self._tenant = tenant
        self._settings = settings
        self._session = session
        self._answered_within = answered_within
        self._patience = patience
        try:
            # No time would mend what it says of them. Of no brokers none is asked.
            _Session(settings.model_copy(update={"servers": ""}), session, answered_within, patience).close()
        except KafkaException as problem:
            raise InvalidInput(problem.args[0].str(), param="fraud.kafka.options") from problem

    async def run(self) -> None:
        """Consume until cancelled. A broker or a database that is away is waited for."""
        while True:
            try:
                await self._consume()
            except KafkaException as problem:
                code = problem.args[0].name()
                fenced = problem.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED)
                if fenced:
                    told = "another gateway has this one's name: set fraud.kafka.instance"
                else:
                    told = "the topic of payments is away"
                logs.logger.warning(told, code=code)
                await asyncio.sleep(_STANDBY if fenced else _RETRY)
            except Exception as problem:
                # The database is away, or something that nobody foresaw: what was not answered comes again, and a
                # task that ended here would leave the payments lying until the gateway is started anew.
                logs.logger.warning("payments were not decided about", **logs.describe(problem))
                await asyncio.sleep(_RETRY)

    async def _consume(self) -> None:
        session = _Session(self._settings, self._session, self._answered_within, self._patience)
        try:
            await finished(asyncio.to_thread(session.open))
            while True:
                messages = await finished(asyncio.to_thread(session.take))
                if not messages:
                    continue
                answers = await asyncio.gather(*map(self._answer, messages))
                await finished(asyncio.to_thread(session.say, messages, answers))
        finally:
            await finished(asyncio.to_thread(session.close))

    async def _answer(self, message: Message) -> Answer:
        place = f"{message.partition()}/{message.offset()}"
        return await answer(self._live, self._tenant, message.value() or b"", place)


class _Session:
    """A member of the group, and the producer of what it says. Every call blocks, and only one goes on at a time."""

    def __init__(self, settings: FraudKafka, seconds: float, answered_within: float, patience: float) -> None:
        self._settings = settings
        self._answered_within = answered_within
        self._patience = patience
        # librdkafka says on standard error what it also gives to `error_cb`.
        shared: dict[str, Any] = {
            **settings.options,
            "bootstrap.servers": settings.servers,
            "log_level": 0,
            "error_cb": self._said,
        }
        self._admin = AdminClient(shared)
        self._consumer = Consumer({
            **shared,
            "group.id": settings.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "session.timeout.ms": int(1000 * seconds),
            "heartbeat.interval.ms": int(1000 * seconds / 10),
        })  # fmt: skip
        name = f"{settings.group}-{settings.instance or socket.gethostname()}"
        self._producer = Producer({**shared, "transactional.id": name, "transaction.timeout.ms": _HELD_BACK})
        self._group: Any = None
        self._found: list[Message] = []
        self._saying = False
        self._complaint: str | None = None

    def open(self) -> None:
        """Make the topics that are not there, end what an earlier process of this name left, and join the group."""
        self._make_topics()
        self._producer.init_transactions(self._answered_within)
        self._consumer.subscribe([self._settings.topic], on_revoke=self._revoked, on_lost=self._revoked)

    def take(self) -> list[Message]:
        """The next payments, none where none comes for a while."""
        self._found = []
        while len(self._found) < _TOGETHER:
            # One by one. What a call gives came after all that was revoked in it, and would not come again: where it
            # was not answered, the group would be moved past it.
            message = self._consumer.poll(0 if self._found else self._patience)
            if message is None:
                break
            if (problem := message.error()) is not None:
                raise KafkaException(problem)
            self._found.append(message)
        self._group = self._consumer.consumer_group_metadata()
        return self._found

    def say(self, messages: Sequence[Message], answers: Sequence[Answer]) -> None:
        """Publish the answers, and that the group is past the messages: both or nothing."""
        self._producer.begin_transaction()
        self._saying = True
        reached: dict[tuple[str, int], int] = {}
        for message, each in zip(messages, answers, strict=True):
            topic = self._settings.rejected if each.transaction is None else self._settings.results
            self._producer.produce(topic, orjson.dumps(each.body), key=message.key())
            reached[_topic(message), _number(message.partition())] = _number(message.offset()) + 1
        places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in reached.items()]
        self._producer.send_offsets_to_transaction(places, self._group, self._answered_within)
        self._producer.commit_transaction(self._answered_within)
        self._saying = False
        self._complaint = None

    def close(self) -> None:
        """Take back what was not committed, and leave the group."""
        if self._saying:
            try:
                self._producer.abort_transaction(self._answered_within)
            except KafkaException as problem:
                # It ends when a process of this name opens again, or when the broker gives it up.
                logs.logger.warning("what was said is not taken back yet", code=problem.args[0].name())
        self._consumer.close()
        # `Producer.close` waits for ever for a broker that does not answer; to let go of it does not.
        del self._producer

    def _make_topics(self) -> None:
        there = self._admin.list_topics(timeout=self._answered_within).topics
        wanted = (self._settings.topic, self._settings.results, self._settings.rejected)
        # -1: as many partitions and copies as the broker is set to make.
        missing = [NewTopic(each, -1, -1) for each in wanted if each not in there]
        if not missing:
            return
        for made in self._admin.create_topics(missing).values():
            try:
                made.result()
            except KafkaException as problem:
                # Another gateway was quicker.
                if problem.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Let go of what was found there: others have it now, or this process will be given it again."""
        gone = {(each.topic, each.partition) for each in partitions}
        self._found = [each for each in self._found if (each.topic(), each.partition()) not in gone]

    def _said(self, problem: KafkaError) -> None:
        """Log what librdkafka says, once until things go well again: it says so ten times a second."""
        if problem.name() != self._complaint:
            self._complaint = problem.name()
            logs.logger.warning("the topic of payments is troubled", code=problem.name())


def _topic(message: Message) -> str:
    return message.topic() or ""


def _number(value: int | None) -> int:
    if value is None:
        raise ValueError("a message that was consumed has a place")
    return value
