"""The models of tables behind the gateway: what answers with them, what watches them, what is kept going for them."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from app.anomalies.served import MODEL as ANOMALIES
from app.anomalies.served import ServedAnomalies
from app.champions import Served, keep, take_up
from app.demand.served import MODEL as DEMAND
from app.demand.served import ServedForecasts
from app.drift.alerting import Alerts
from app.drift.watching import Watch
from app.federated.federated import Federated
from app.fraud.served import MODEL as FRAUD
from app.fraud.served import ServedFraud
from app.fraud.trials import FraudTrials
from app.recommend.opening import Recommending, open_recommending
from app.recommend.served import MODEL as RECOMMEND
from app.segments.served import MODEL as SEGMENTS
from app.segments.served import ServedSegments
from app.tasks.served import ServedTasks
from app.workspace import TENANT
from core.errors import MissingExtra
from tabular.fraud.live import LiveFraud
from tabular.tasks.catalog import TASKS

if TYPE_CHECKING:
    from app.fraud.jetstream import JetStreamPayments
    from app.fraud.kafka import KafkaPayments
    from app.systems import Systems
    from core.database import Database
    from core.registry import Registry
    from core.settings import Settings
    from retrieval.embed.onnx import OnnxEmbeddings


OWN = frozenset({FRAUD, RECOMMEND, DEMAND, SEGMENTS, ANOMALIES, *TASKS})
"""The names of the models of tables that are the gateway's own."""


@dataclass(frozen=True, slots=True)
class Tabular:
    """Everything of it, ready to use. `payments` are the streams that the settings name."""

    settings: Settings
    fraud: LiveFraud
    fraud_model: ServedFraud
    fraud_trials: FraudTrials
    payments: Sequence[JetStreamPayments | KafkaPayments]
    tasks: ServedTasks
    segments: ServedSegments
    anomalies: ServedAnomalies
    forecasts: ServedForecasts
    recommending: Recommending
    drift: Watch
    alerts: Alerts
    federated: Federated

    @property
    def served(self) -> tuple[Served, ...]:
        """What answers with champions."""
        several = (self.fraud_model, self.tasks, self.segments, self.anomalies, self.forecasts)
        return (*several, self.recommending.served)

    def background(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on for as long as the gateway does; each until it is cancelled."""
        going = [
            keep(self.served, self.settings.registry.poll_seconds),
            self.fraud_trials.run(),
            self.drift.run(),
            self.federated.keeper.run(),
            *(each.run() for each in self.payments),
        ]
        if self.settings.drift.webhook_url is not None:
            going.append(self.alerts.run())
        return going


async def open_tabular(
    settings: Settings,
    database: Database,
    registry: Registry,
    systems: Systems,
    embeddings: OnnxEmbeddings,
    stack: AsyncExitStack,
) -> Tabular:
    """Open it with the champions that are in force; one that cannot be taken up is logged.

    Raises `MissingExtra` for a stream without the package for it.
    """
    fraud_model = ServedFraud(database, registry, settings.fraud, TENANT)
    fraud = LiveFraud(database, fraud_model.scorer)
    stack.push_async_callback(fraud.close)
    drift = Watch(database, registry, settings.drift)
    opened = Tabular(
        settings=settings,
        fraud=fraud,
        fraud_model=fraud_model,
        fraud_trials=FraudTrials(database, registry, fraud_model),
        payments=_payments(settings, fraud),
        tasks=ServedTasks(registry),
        segments=ServedSegments(registry, systems.orders, tenant=TENANT),
        anomalies=ServedAnomalies(registry, tenant=TENANT),
        forecasts=ServedForecasts(registry, systems.procurement, settings, tenant=TENANT),
        recommending=open_recommending(
            database, systems.orders, systems.procurement, registry, embeddings, settings, TENANT
        ),
        drift=drift,
        alerts=Alerts(database, settings.drift, drift.kept),
        federated=Federated.of(database, registry, {*OWN, settings.registry.serves}),
    )
    for served in opened.served:
        await take_up(served)
    return opened


def _payments(settings: Settings, fraud: LiveFraud) -> list[JetStreamPayments | KafkaPayments]:
    """What decides about the payments of streams, where the settings name any."""
    found: list[JetStreamPayments | KafkaPayments] = []
    # Only those who have a stream need its package.
    if (stream := settings.fraud.stream) is not None:
        if find_spec("nats") is None:
            raise MissingExtra("nats-py", "stream")
        from app.fraud.jetstream import JetStreamPayments

        found.append(JetStreamPayments(fraud, TENANT, stream))
    if (kafka := settings.fraud.kafka) is not None:
        if find_spec("confluent_kafka") is None:
            raise MissingExtra("confluent-kafka", "stream")
        from app.fraud.kafka import KafkaPayments

        found.append(KafkaPayments(fraud, TENANT, kafka))
    return found
