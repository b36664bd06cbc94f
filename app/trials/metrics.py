"""A trial as Prometheus reads it: the trial's own figures, read when they are asked for, so nothing is kept twice."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.trials.trials import Trials


class TrialCollector(Collector):
    """The trial that is going on, if one is, and the rollbacks of this process by their reason."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials

    def collect(self) -> Iterator[Metric]:
        """Yield every instrument; those of a trial have no samples while there is none. They begin anew with it."""
        answers = GaugeMetricFamily("wayside_trial_answers", "Answers of the trial now.", labels=("side", "outcome"))
        seconds = GaugeMetricFamily(
            "wayside_trial_seconds", "Seconds of its good answers.", labels=("side", "quantile")
        )
        ratings = GaugeMetricFamily("wayside_trial_ratings", "Thumbs on its answers.", labels=("side", "rating"))
        alike = GaugeMetricFamily("wayside_trial_agreement", "How alike a shadow answers, from 0 to 1.")
        rolled = CounterMetricFamily("wayside_trial_rollbacks", "Challengers rolled back here.", labels=("reason",))
        for reason, count in self._trials.rollbacks.items():
            rolled.add_metric((reason,), count)
        trial = self._trials.engine.trial
        if trial is not None:
            figures = trial.figures
            for name, side in (("champion", figures.champion), ("challenger", figures.challenger)):
                answers.add_metric((name, "good"), side.answers - side.errors)
                answers.add_metric((name, "error"), side.errors)
                ratings.add_metric((name, "up"), side.ratings.of - side.ratings.bad)
                ratings.add_metric((name, "down"), side.ratings.bad)
                for quantile in (0.5, 0.9):
                    if (value := side.quantile(quantile)) is not None:
                        seconds.add_metric((name, str(quantile)), value)
            if figures.compared:
                alike.add_metric((), figures.agreement)
        yield from (answers, seconds, ratings, alike, rolled)
