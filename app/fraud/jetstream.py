"""Card transactions from a stream (NATS JetStream), and a decision for each on another one, once.

A message is acknowledged when its decision lies in the result stream. A process that dies in between is sent the
message again, finds the decision that was made before in the database, and publishes it under the same message id,
which JetStream takes once within `WINDOW`. What is no transaction goes to a subject of its own with what is wrong, and
is not sent again.
"""

from __future__ import annotations

import asyncio

import nats
import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from app import logs
from app.fraud.answering import answer
from core.settings import FraudStream
from tabular.fraud.live import LiveFraud

DURABLE = "wayside-fraud"
WINDOW = 86_400.0
"""Seconds within which a decision is published once; a gateway that was away for longer may say one a second time."""

_TOGETHER = 64
_PATIENCE = 2.0
_ACK_WAIT = 30.0
_RETRY = 1.0


class JetStreamPayments:
    """Decides about what comes along the stream, for one tenant."""

    def __init__(self, live: LiveFraud, tenant: str, settings: FraudStream, *, ack_wait: float = _ACK_WAIT) -> None:
        """`ack_wait` is after how many seconds a message that nobody acknowledged is sent again."""
        self._live = live
        self._tenant = tenant
        self._settings = settings
        self._ack_wait = ack_wait

    async def run(self) -> None:
        """Consume until cancelled. A server or a database that is away is waited for."""
        while True:
            try:
                client = await nats.connect(self._settings.url, max_reconnect_attempts=-1)
                try:
                    await self._consume(client)
                finally:
                    await client.close()
            except (nats.errors.Error, OSError) as problem:
                logs.logger.warning("the stream of payments is away", **logs.describe(problem))
                await asyncio.sleep(_RETRY)

    async def _consume(self, client: Client) -> None:
        stream = client.jetstream()
        wanted = self._settings
        await _ensure(stream, wanted.stream, wanted.subject)
        await _ensure(stream, wanted.results_stream, wanted.results, wanted.rejected)
        config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=self._ack_wait, max_ack_pending=4 * _TOGETHER)
        pull = await stream.pull_subscribe(wanted.subject, DURABLE, stream=wanted.stream, config=config)
        while True:
            try:
                messages = await pull.fetch(_TOGETHER, timeout=_PATIENCE)
            except nats.errors.TimeoutError:
                continue
            await self._answer(stream, messages)

    async def _answer(self, stream: JetStreamContext, messages: list[Msg]) -> None:
        """Decide about the messages in their order, publish, acknowledge."""
        places = [each.metadata.sequence.stream for each in messages]
        answers = (
            answer(self._live, self._tenant, each.data, place) for each, place in zip(messages, places, strict=True)
        )
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        for message, place, outcome in zip(messages, places, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                # The database is away: the message comes again.
                logs.logger.warning("a payment was not decided about", **logs.describe(outcome))
                await message.nak(delay=_RETRY)
                continue
            if outcome.transaction is None:
                subject, name = self._settings.rejected, f"rejected-{place}"
            else:
                subject, name = self._settings.results, outcome.transaction
            await stream.publish(subject, orjson.dumps(outcome.body), headers={"Nats-Msg-Id": name})
            await message.ack()


async def _ensure(stream: JetStreamContext, name: str, *subjects: str) -> None:
    """Make the stream if it is not there; one that is there is left as it is."""
    try:
        await stream.stream_info(name)
    except NotFoundError:
        await stream.add_stream(StreamConfig(name=name, subjects=list(subjects), duplicate_window=WINDOW))
