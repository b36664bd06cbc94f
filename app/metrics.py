"""What Prometheus reads at `/metrics`. Labels are route templates, models and engines: never a key or a tenant."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from app.drift.metrics import DriftCollector
from app.drift.watching import Watch
from app.engines.breaker import CircuitBreaker, State
from app.trials.metrics import TrialCollector
from app.trials.trials import Trials
from core.types import Usage

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The gateway's own instruments, on a registry of their own so that two gateways in one process stay apart."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._latency = Histogram(
            "wayside_request_seconds",
            "Time from a request's first byte to its answer's last, by route and status.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._tokens = Counter(
            "wayside_tokens", "Tokens read and written.", ("model", "engine", "kind"), registry=self.registry
        )
        self._first_token = Histogram(
            "wayside_first_token_seconds",
            "Time from a streamed request to its first piece of text.",
            ("model", "engine"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._answers = Counter(
            "wayside_answers", "Chat answers, by who gave them.", ("model", "engine"), registry=self.registry
        )
        self._jobs = Gauge(
            "wayside_ingestion_jobs", "Documents that wait to be indexed or deleted, or are.", registry=self.registry
        )
        self._retrainings = Counter(
            "wayside_retrainings",
            "Models trained on schedule, by what came of it: trained, promoted, refused by the gate, or failed.",
            ("model", "outcome"),
            registry=self.registry,
        )
        # Asking prometheus_client for a labelled child costs more than using it.
        self._latencies: dict[tuple[str, str, int], Histogram] = {}
        self._token_counters: dict[tuple[str, str], tuple[Counter, Counter, Counter]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a finished request. `route` is the template (`/api/keys/{key_id}`), not the path."""
        labels = (method, route, status)
        child = self._latencies.get(labels)
        if child is None:
            child = self._latencies[labels] = self._latency.labels(method, route, str(status))
        child.observe(seconds)

    def retrained(self, model: str, outcome: str) -> None:
        """Count a training on schedule. `model` is a name out of the settings."""
        self._retrainings.labels(model, outcome).inc()

    def answer(self, model: str, engine: str, usage: Usage) -> None:
        """Count a chat answer and its tokens. `engine` is `none` when no engine was needed."""
        labels = (model, engine)
        children = self._token_counters.get(labels)
        if children is None:
            children = self._token_counters[labels] = (
                self._answers.labels(model, engine),
                self._tokens.labels(model, engine, "prompt"),
                self._tokens.labels(model, engine, "completion"),
            )
        children[0].inc()
        children[1].inc(usage.prompt_tokens)
        children[2].inc(usage.completion_tokens)

    def first_token(self, model: str, engine: str, seconds: float) -> None:
        """Record how long a streamed answer kept its reader waiting."""
        self._first_token.labels(model, engine).observe(seconds)

    def watch_breaker(self, breaker: CircuitBreaker) -> None:
        """Show whether the primary engine's circuit breaker lets requests through."""
        shown = {State.CLOSED: 0.0, State.HALF_OPEN: 0.5, State.OPEN: 1.0}
        text = "The primary engine's circuit breaker: 0 closed, 0.5 half-open, 1 open."
        gauge = Gauge("wayside_breaker_open", text, registry=self.registry)
        gauge.set_function(lambda: shown[breaker.state])

    def watch_trials(self, trials: Trials) -> None:
        """Show how a challenger does beside the champion."""
        self.registry.register(TrialCollector(trials))

    def watch_drift(self, watch: Watch) -> None:
        """Show what the last check of each model found."""
        self.registry.register(DriftCollector(watch))

    def render(self, jobs: int) -> bytes:
        """Everything, in Prometheus' text format. `jobs` is the length of the ingestion queue now."""
        self._jobs.set(jobs)
        return generate_latest(self.registry)
